//! What the main of a service uses.
//!
//! A [`Platform`] is what a service is given: typed clients of other services, a server, and the word when to stop. Beside
//! it there is an [`admin`] port for operators.
//! [`main()`] makes one from the environment:
//!
//! | variable | what it is | default |
//! |---|---|---|
//! | `SCRIBEMED_LISTEN` | the address to serve on, `0.0.0.0:50052` | required |
//! | `SCRIBEMED_ADMIN_LISTEN` | the address of the [admin port](admin), or `off` | that of `SCRIBEMED_LISTEN`, port 1,000 higher |
//! | `SCRIBEMED_KEY` | the file with the service's own private key, PEM | required, but for auth |
//! | `SCRIBEMED_ISSUER` | who issues the access tokens | `auth.scribemed` |
//! | `<NAME>_SERVICE_URL` | where another service is, `dns:///auth:50051` | required for each that is called |
//! | `<NAME>_SERVICE_CONFIG` | a file with a gRPC service config for calls to another service, JSON | the contract's policy |
//! | `SCRIBEMED_RESOLVE_WITHIN` | how long the name of another service may take to be resolved at the start, seconds | `10` |
//! | `SCRIBEMED_TLS_CA` | who vouches for `https://` targets, PEM | those of the system |
//! | `SCRIBEMED_TLS_CERT`, `SCRIBEMED_TLS_KEY` | what the service shows of itself to `https://` targets, PEM; both or none | nothing |
//! | `SCRIBEMED_TRUST_DOMAIN` | the SPIFFE trust domain that services belong to, callers and called | none |
//! | `SCRIBEMED_SERVER_TLS` | whether the service serves over TLS, and asks for certificates: `off`, `on`, `optional` or `required` | `off` |
//! | `SCRIBEMED_AUDIT_LOG` | the file that records who called what, of this process alone | nothing is recorded |
//! | `SCRIBEMED_AUDIT_KEY` | a file with a secret for the hashes of that, 32 bytes or more, mode 0600 | hashes without a secret |
//! | `SCRIBEMED_CHANNELZ` | whether `grpc.channelz.v1` answers peers on loopback, without a token: `on` or `off` | `off` |
//! | `SCRIBEMED_GRACE` | how long calls in flight may take after the shutdown began, seconds | `20` |
//! | `SCRIBEMED_MAX_CONNECTIONS`, `SCRIBEMED_MAX_CONNECTIONS_PER_PEER` | how many connections there may be, and from one address | `4000`, `100` |
//! | `SCRIBEMED_MAX_CONNECTION_AGE`, `SCRIBEMED_MAX_CONNECTION_IDLE` | how long they may last, and be without a call, seconds; 0 is any time | `1800`, `600` |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT`, and others | where spans go: see [`tracer()`] | no spans |
//! | `SCRIBEMED_LOG` | what is logged, in the syntax of `RUST_LOG` | `info,whisper_rs=warn` |
//! | `SCRIBEMED_LOG_FORMAT` | `readable` or `json` | `readable` |

pub mod admin;
mod channels;
mod clients;
pub mod data;
mod end_users;
pub mod env;
mod identity;
mod jwks;
mod platform;
mod process;
mod servers;
mod traces;

pub use admin::Admin;
pub use clients::{ClientSettings, DEFAULT_RESOLVE_WITHIN, Tls, TlsIdentity};
pub use data::DataFolder;
pub use end_users::EndUserSettings;
pub use env::Env;
pub use identity::{AuthServiceKeys, AuthServiceTokens};
pub use jwks::{HttpsKeys, InvalidJwksUrl, JwksUrl};
pub use platform::{DEFAULT_ISSUER, Error, Platform, Settings};
pub use process::{cancel_on_signal, main, main_with};
pub use scribemed_client::{Channel, Config as ChannelConfig, Tls as ChannelTls};
pub use servers::{DEFAULT_GRACE, OverloadSettings, ServerSettings, open_audit, open_audit_at};
pub use traces::{metrics_exporter, tracer};
