//! The caller: what it sends with each call, how it gets its token, and what it reads of an error.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use scribemed_compat::auth::v1::ExchangeTokenRequest;
use serde::Serialize;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Code, GrpcMethod, Request, Status};
use tonic_types::StatusExt as _;

/// The methods that were called.
pub(crate) type Calls = Arc<Mutex<BTreeSet<String>>>;

/// Puts the token on each call and notes its method.
#[derive(Clone)]
pub(crate) struct Caller {
    token: Option<MetadataValue<Ascii>>,
    calls: Calls,
}

impl Caller {
    pub(crate) fn new(token: Option<&str>, calls: &Calls) -> Self {
        Self {
            token: token.map(|token| format!("Bearer {token}").parse().unwrap()),
            calls: Arc::clone(calls),
        }
    }
}

impl Interceptor for Caller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let method = request.extensions().get::<GrpcMethod<'static>>().unwrap();
        let method = format!("{}.{}", method.service(), method.method());
        self.calls.lock().unwrap().insert(method);
        if let Some(token) = &self.token {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// A request for a token, with an assertion as RFC 7523 has it, signed with this key.
pub(crate) fn exchange(key: &str, audience: &str) -> ExchangeTokenRequest {
    #[derive(Serialize)]
    struct Claims {
        iss: &'static str,
        sub: &'static str,
        aud: &'static str,
        jti: String,
        exp: u64,
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let claims = Claims {
        iss: "emr",
        sub: "emr",
        aud: "auth.scribemed",
        jti: uuid::Uuid::new_v4().to_string(),
        exp: now.as_secs() + 60,
    };
    let key = EncodingKey::from_ed_pem(key.as_bytes()).unwrap();
    ExchangeTokenRequest {
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned(),
        client_assertion: jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &key)
            .unwrap(),
        audience: audience.to_owned(),
        ..ExchangeTokenRequest::default()
    }
}

/// The error must have this code and this reason; a caller decides by them.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Status>, code: Code, reason: &str) {
    let status = result.unwrap_err();
    let details = status.get_error_details();
    let found = details.error_info().map(|info| info.reason.as_str());
    assert_eq!((status.code(), found), (code, Some(reason)), "{status:?}");
}

/// The error must name this field as well.
#[track_caller]
pub(crate) fn invalid<T: std::fmt::Debug>(result: Result<T, Status>, reason: &str, field: &str) {
    let status = result.as_ref().err().unwrap();
    let details = status.get_error_details();
    let fields = details.bad_request().map_or_else(Vec::new, |bad| {
        let fields = bad.field_violations.iter();
        fields.map(|violation| violation.field.as_str()).collect()
    });
    assert_eq!(fields, [field], "{status:?}");
    refused(result, Code::InvalidArgument, reason);
}
