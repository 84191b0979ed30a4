//! The one way to call another service.
//!
//! A [`Channel`] stands under an unchanged generated client. Every call through it carries, without a word of the caller's,
//! a service token, the request id, the trace, and the time that is left; it ends by the deadline, streamed bodies
//! included, and with the call that made it.

mod channel;
mod failure;
mod outgoing;
mod policy;
mod response;
pub mod service_config;
mod status;

pub use channel::Channel;
pub use policy::{CallPolicy, CodeSet, Hedge, Reattempt, Retry};
pub use response::ResponseBody;
pub use service_config::ServiceConfig;
pub use status::{ChannelStatus, EndpointStatus};
