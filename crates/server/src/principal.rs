//! Who calls.

use scribemed_auth::Principal;
use scribemed_rpc::{Fault, reason};
use tonic::{Code, Request, Status};

/// The caller of a method that is not public. The server has verified it before the handler runs.
///
/// # Errors
/// UNAUTHENTICATED on a public method, where callers are not verified.
pub fn principal<T>(request: &Request<T>) -> Result<&Principal, Status> {
    request.extensions().get().ok_or_else(|| {
        Fault::new(
            Code::Unauthenticated,
            reason::UNSPECIFIED,
            "contract.scribemed",
            "the method is public, so its caller is not known",
        )
        .into_status()
    })
}
