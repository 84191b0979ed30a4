//! Reflection, `grpc.reflection.v1` and `v1alpha`: what there is to call, and every descriptor behind it, extensions among
//! them, so that `grpcurl describe scribemed.options.v1.method` finds an option of ours.
//!
//! Answers come from the encoded descriptors as they were compiled: custom options live in there as bytes. As in grpc-go, a
//! file is sent with all that it imports, less what the stream has sent before. What is not found is an answer of its own,
//! and the stream goes on.

mod index;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use scribemed_rpc::{Fault, reason};
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_reflection::pb::{v1, v1alpha};

use self::index::{Index, Sent};
use crate::builder::{Builder, Error};
use crate::health::Health;

/// Why a descriptor set cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorError {
    /// It is no encoded `google.protobuf.FileDescriptorSet`.
    #[error("it is no encoded FileDescriptorSet")]
    Damaged(#[from] prost::DecodeError),
    /// A file imports one that is in none of the sets.
    #[error(
        "{file} imports {import}, which is in no descriptor set; encode the set with its imports"
    )]
    ImportMissing {
        /// The file.
        file: String,
        /// What it imports.
        import: String,
    },
}

/// A question, whichever version it came in.
enum Question {
    File(String),
    Symbol(String),
    Extension(String, i32),
    ExtensionNumbers(String),
    Services,
}

enum Found {
    Files(Vec<Bytes>),
    ExtensionNumbers(String, Vec<i32>),
    Services(Vec<&'static str>),
}

/// Answers the questions of either version.
#[derive(Clone)]
struct Reflection {
    known: Arc<Known>,
    /// An open stream must not hold up the shutdown.
    health: Health,
}

struct Known {
    index: Index,
    /// Every service, reflection itself included.
    services: BTreeSet<&'static str>,
}

impl Known {
    /// What was asked for, or what is not there.
    fn answer(&self, question: Question, sent: &mut Sent) -> Result<Found, String> {
        let index = &self.index;
        let files = |file, sent| Found::Files(index.with_imports(file, sent));
        match question {
            Question::File(name) => match index.file(&name) {
                Some(file) => Ok(files(file, sent)),
                None => Err(format!("there is no file {}", shown(&name))),
            },
            Question::Symbol(name) => match index.symbol(&name) {
                Some(file) => Ok(files(file, sent)),
                None => Err(format!("there is no symbol {}", shown(&name))),
            },
            Question::Extension(message, number) => match index.extension(&message, number) {
                Some(file) => Ok(files(file, sent)),
                None => Err(format!(
                    "{} has no extension of number {number}",
                    shown(&message)
                )),
            },
            Question::ExtensionNumbers(message) => match index.extension_numbers(&message) {
                Some(numbers) => Ok(Found::ExtensionNumbers(message, numbers)),
                None => Err(format!("there is no message {}", shown(&message))),
            },
            Question::Services => Ok(Found::Services(self.services.iter().copied().collect())),
        }
    }
}

/// As much of a name as goes into an answer: callers may send anything.
fn shown(name: &str) -> &str {
    &name[..name.floor_char_boundary(200)]
}

impl Builder {
    /// Each version lists every service, itself and the other included.
    pub(crate) fn add_reflection(&mut self) -> Result<(), Error> {
        let mut services = self.served.clone();
        services.insert(v1::server_reflection_server::SERVICE_NAME);
        services.insert(v1alpha::server_reflection_server::SERVICE_NAME);
        let sets = self.descriptors.iter().copied().chain([
            crate::grpc::DESCRIPTOR_SET,
            v1::FILE_DESCRIPTOR_SET,
            v1alpha::FILE_DESCRIPTOR_SET,
        ]);
        let reflection = Reflection {
            known: Arc::new(Known {
                index: Index::new(sets)?,
                services,
            }),
            health: self.health(),
        };
        self.add_open(v1::server_reflection_server::ServerReflectionServer::new(
            reflection.clone(),
        ));
        self.add_open(v1alpha::server_reflection_server::ServerReflectionServer::new(reflection));
        Ok(())
    }
}

/// The two versions differ in the name of their package alone.
macro_rules! serve {
    ($version:ident) => {
        const _: () = {
            use $version::server_reflection_request::MessageRequest;
            use $version::server_reflection_response::MessageResponse;
            use $version::{ServerReflectionRequest, ServerReflectionResponse};

            fn answer(
                known: &Known,
                sent: &mut Sent,
                request: ServerReflectionRequest,
            ) -> Result<ServerReflectionResponse, Status> {
                let question = match request.message_request.clone().ok_or_else(no_question)? {
                    MessageRequest::FileByFilename(name) => Question::File(name),
                    MessageRequest::FileContainingSymbol(name) => Question::Symbol(name),
                    MessageRequest::FileContainingExtension(asked) => {
                        Question::Extension(asked.containing_type, asked.extension_number)
                    }
                    MessageRequest::AllExtensionNumbersOfType(name) => {
                        Question::ExtensionNumbers(name)
                    }
                    MessageRequest::ListServices(_) => Question::Services,
                };
                let response = match known.answer(question, sent) {
                    Ok(Found::Files(files)) => {
                        MessageResponse::FileDescriptorResponse($version::FileDescriptorResponse {
                            file_descriptor_proto: files.iter().map(|file| file.to_vec()).collect(),
                        })
                    }
                    Ok(Found::ExtensionNumbers(base_type_name, extension_number)) => {
                        MessageResponse::AllExtensionNumbersResponse(
                            $version::ExtensionNumberResponse {
                                base_type_name,
                                extension_number,
                            },
                        )
                    }
                    Ok(Found::Services(names)) => {
                        let service = names.into_iter().map(|name| $version::ServiceResponse {
                            name: name.to_owned(),
                        });
                        MessageResponse::ListServicesResponse($version::ListServiceResponse {
                            service: service.collect(),
                        })
                    }
                    Err(what) => MessageResponse::ErrorResponse($version::ErrorResponse {
                        error_code: Code::NotFound.into(),
                        error_message: what,
                    }),
                };
                Ok(ServerReflectionResponse {
                    valid_host: request.host.clone(),
                    original_request: Some(request),
                    message_response: Some(response),
                })
            }

            #[tonic::async_trait]
            impl $version::server_reflection_server::ServerReflection for Reflection {
                type ServerReflectionInfoStream =
                    Pin<Box<dyn Stream<Item = Result<ServerReflectionResponse, Status>> + Send>>;

                async fn server_reflection_info(
                    &self,
                    request: Request<Streaming<ServerReflectionRequest>>,
                ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
                    let known = Arc::clone(&self.known);
                    let mut sent = Sent::default();
                    let answers = request
                        .into_inner()
                        .map(move |request| answer(&known, &mut sent, request?));
                    let drained = self.health.drained();
                    let answers = futures_util::StreamExt::take_until(answers, drained);
                    Ok(Response::new(Box::pin(answers)))
                }
            }
        };
    };
}

serve!(v1);
serve!(v1alpha);

fn no_question() -> Status {
    Fault::new(
        Code::InvalidArgument,
        reason::INVALID_REQUEST,
        "reflection.scribemed",
        "`message_request` is not set; `list_services` is one that always has an answer",
    )
    .into_status()
}
