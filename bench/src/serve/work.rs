//! A handler that computes, as long for each call and in each language: an FNV-1a hash of a mebibyte.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tonic::{Request, Response, Status};

use crate::contract::v1::{
    DoCriticalPlusRequest, DoCriticalPlusResponse, DoCriticalRequest, DoCriticalResponse,
    DoSheddablePlusRequest, DoSheddablePlusResponse, DoSheddableRequest, DoSheddableResponse,
};
use crate::contract::{bare, v1};

/// About a millisecond, as each step waits for the one before.
const BYTES: u64 = 1 << 20;

/// Computes, and counts calls.
#[derive(Debug, Clone)]
pub(super) struct Work {
    calls: Arc<AtomicU64>,
}

impl Work {
    pub(super) fn new(calls: Arc<AtomicU64>) -> Self {
        Self { calls }
    }

    fn hash(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed);
        (0..black_box(BYTES)).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ (byte & 0xff)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

/// The same handler for both generations of the service.
macro_rules! serve {
    ($generation:ident) => {
        #[tonic::async_trait]
        impl $generation::work_service_server::WorkService for Work {
            async fn do_sheddable(
                &self,
                _: Request<DoSheddableRequest>,
            ) -> Result<Response<DoSheddableResponse>, Status> {
                let hash = self.hash();
                Ok(Response::new(DoSheddableResponse { hash }))
            }

            async fn do_sheddable_plus(
                &self,
                _: Request<DoSheddablePlusRequest>,
            ) -> Result<Response<DoSheddablePlusResponse>, Status> {
                let hash = self.hash();
                Ok(Response::new(DoSheddablePlusResponse { hash }))
            }

            async fn do_critical(
                &self,
                _: Request<DoCriticalRequest>,
            ) -> Result<Response<DoCriticalResponse>, Status> {
                let hash = self.hash();
                Ok(Response::new(DoCriticalResponse { hash }))
            }

            async fn do_critical_plus(
                &self,
                _: Request<DoCriticalPlusRequest>,
            ) -> Result<Response<DoCriticalPlusResponse>, Status> {
                let hash = self.hash();
                Ok(Response::new(DoCriticalPlusResponse { hash }))
            }
        }
    };
}

serve!(bare);
serve!(v1);
