//! The cases, through our channel.

mod metadata;
mod stream;
mod unary;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use scribemed_client::Channel;
use scribemed_rpc::{ClientContract as _, ServicePolicy};
use tonic::{Code, Status};

use super::v1::test_service_client::TestServiceClient;
use super::v1::{Payload, PayloadType, TEST_SERVICE_POLICY, UNIMPLEMENTED_SERVICE_POLICY};

/// How a case ended: well, or with what was wrong.
pub type Outcome = anyhow::Result<()>;

type Playing = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A case.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its official name.
    pub name: &'static str,
    play: fn(Channel) -> Playing,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.name).finish()
    }
}

macro_rules! cases {
    ($($module:ident :: $name:ident,)+) => {
        /// All cases.
        pub const CASES: &[Case] = &[
            $(Case {
                name: stringify!($name),
                play: |channel| Box::pin($module::$name(channel)),
            },)+
        ];
    };
}

cases! {
    unary::empty_unary,
    unary::large_unary,
    stream::client_streaming,
    stream::server_streaming,
    stream::ping_pong,
    stream::empty_stream,
    stream::cancel_after_begin,
    stream::cancel_after_first_response,
    stream::timeout_on_sleeping_server,
    unary::status_code_and_message,
    unary::special_status_message,
    metadata::custom_metadata,
    unary::unimplemented_method,
    unary::unimplemented_service,
    unary::pick_first_unary,
}

impl Case {
    /// Plays it through `channel`, which was made with [`contracts`].
    ///
    /// # Errors
    /// What was not as the case has it.
    pub async fn play(&self, channel: Channel) -> Outcome {
        (self.play)(channel).await
    }
}

/// The contracts that a channel for the cases is made with.
pub fn contracts() -> [&'static ServicePolicy; 2] {
    [&TEST_SERVICE_POLICY, &UNIMPLEMENTED_SERVICE_POLICY]
}

fn client(channel: Channel) -> TestServiceClient<Channel> {
    TestServiceClient::over(channel)
}

fn zeros(size: usize) -> Payload {
    Payload {
        r#type: PayloadType::Compressable.into(),
        body: vec![0; size].into(),
    }
}

fn size(payload: Option<&Payload>) -> usize {
    payload.map_or(0, |payload| payload.body.len())
}

/// It must have failed with this code.
fn failed<T>(result: Result<T, Status>, code: Code) -> anyhow::Result<Status> {
    match result {
        Ok(_) => anyhow::bail!("it was answered well, and {code:?} was expected"),
        Err(status) if status.code() == code => Ok(status),
        Err(status) => anyhow::bail!("{code:?} was expected, and it failed with {status:?}"),
    }
}
