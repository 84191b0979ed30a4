//! What is told of each call beside its line in the log: metrics, its span, and the audit log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use scribemed_audit::{AuditLog, Entry, OnBehalfOf, Place, Written};
use scribemed_auth::Principal;
use scribemed_rpc::policy::{Access, Idempotency};
use scribemed_rpc::{CallContext, MethodPolicy};
use scribemed_telemetry::metrics::{ServedMetrics, ServerMetrics, code_name};
use scribemed_telemetry::traces::{Side, Span, Tracer, Value};
use tonic::Code;

use crate::limit::Lengths;
use crate::peer::Peer;

/// What the server knows of a method before any call: looked up once.
pub(crate) struct Method {
    /// `greeter.v1.Greeter/Greet`, or `other` for all that there is not.
    name: &'static str,
    /// `Recv.greeter.v1.Greeter.Greet` (gRFC A72).
    span: String,
    metrics: ServedMetrics,
    audit: Audited,
    /// It goes away: who still calls it is counted.
    deprecated: bool,
}

/// Which calls of a method get a record in the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audited {
    /// None: whatever the contract does not know, health and reflection.
    No,
    /// Those that are refused: callers of a public method are not known.
    Refused,
    /// All of them.
    Yes {
        /// The record is on the disk before the caller hears of its success.
        first: bool,
    },
}

impl Audited {
    fn by(policy: &MethodPolicy) -> Self {
        match policy.access {
            Access::Public => Self::Refused,
            Access::Permissions(_) => Self::Yes {
                first: policy.idempotency != Idempotency::NoSideEffects,
            },
        }
    }
}

impl Method {
    pub(crate) fn new(metrics: &ServerMetrics, policy: &'static MethodPolicy) -> Self {
        let name = policy.path.trim_start_matches('/');
        Self {
            name,
            span: span_name(name),
            metrics: metrics.method(name),
            audit: Audited::by(policy),
            deprecated: policy.lifecycle.is_some(),
        }
    }

    /// A method without a contract, by its path.
    pub(crate) fn open(metrics: &ServerMetrics, path: &'static str) -> Self {
        let name = path.trim_start_matches('/');
        Self {
            name,
            span: span_name(name),
            metrics: metrics.method(name),
            audit: Audited::No,
            deprecated: false,
        }
    }

    /// All methods that there are not (A66: callers must not be able to make series).
    pub(crate) fn other(metrics: &ServerMetrics) -> Self {
        Self::open(metrics, "other")
    }
}

fn span_name(method: &str) -> String {
    format!("Recv.{}", method.replace('/', "."))
}

/// What a call is told to when it ends.
pub(crate) struct Observed {
    method: Arc<Method>,
    audit: Option<AuditLog>,
    /// `None` of a call that is not sampled as well.
    tracer: Option<Tracer>,
    /// Room for its record.
    place: OnceLock<Place>,
    arrived: SystemTime,
    /// Bytes of request messages that have come.
    received: Arc<AtomicU64>,
    /// Of messages that leave.
    sent: Lengths,
}

impl Observed {
    /// Of a call that has just come.
    pub(crate) fn new(
        method: &Arc<Method>,
        audit: Option<&AuditLog>,
        tracer: Option<&Tracer>,
        context: &CallContext,
    ) -> Self {
        method.metrics.call_started();
        Self {
            method: Arc::clone(method),
            audit: audit.filter(|_| method.audit != Audited::No).cloned(),
            tracer: tracer.filter(|_| context.trace().is_sampled()).cloned(),
            place: OnceLock::new(),
            arrived: SystemTime::now(),
            received: Arc::default(),
            sent: Lengths::default(),
        }
    }

    /// Where the bytes of its request messages are to be counted.
    pub(crate) fn received(&self) -> &Arc<AtomicU64> {
        &self.received
    }

    /// A piece of its answer leaves.
    pub(crate) fn sending(&mut self, data: &[u8]) {
        self.sent.follow(data);
    }

    pub(crate) fn panicked(&self) {
        self.method.metrics.panicked();
    }

    /// Sees to it that the call can be recorded. To be asked once its caller is known, before anything is done for it.
    ///
    /// # Errors
    /// It cannot: it must not be done.
    pub(crate) fn reserve(&self) -> Result<(), scribemed_audit::Unavailable> {
        if let (Some(audit), Audited::Yes { .. }) = (&self.audit, self.method.audit) {
            let place = audit.reserve()?;
            self.place.get_or_init(|| place);
        }
        Ok(())
    }

    /// The call has ended. What is returned is to be waited for before its caller is told.
    pub(crate) fn end(
        &mut self,
        code: Code,
        duration: Duration,
        context: &CallContext,
        caller: Option<&Principal>,
        peer: &Peer,
    ) -> Option<Written> {
        let received = self.received.load(Ordering::Relaxed);
        self.method
            .metrics
            .call_ended(code as i32, duration, self.sent.total(), received);
        if self.method.deprecated {
            let caller = caller.map_or("-", Principal::service);
            self.method.metrics.deprecated(caller, self.arrived);
        }
        if let Some(tracer) = &self.tracer {
            let request_id = context.request_id().to_string();
            let attempts = context.previous_attempts().into();
            let caller = caller.map_or("-", Principal::service);
            tracer.record(&Span {
                name: &self.method.span,
                side: Side::Server,
                context: context.trace(),
                begun: self.arrived,
                duration,
                code: code as i32,
                attributes: &[
                    ("rpc.method", Value::Text(self.method.name)),
                    ("previous-rpc-attempts", Value::Number(attempts)),
                    ("scribemed.caller", Value::Text(caller)),
                    ("scribemed.request_id", Value::Text(&request_id)),
                ],
            });
        }
        let audit = self.audit.as_ref()?;
        let entry = || Entry {
            time: self.arrived,
            caller: caller.map(|caller| caller.service().into()),
            on_behalf_of: caller.and_then(on_behalf_of),
            method: self.method.name,
            code: code_name(code as i32),
            request_id: context.request_id().as_uuid(),
            token_id: caller.and_then(Principal::token_id).map(Into::into),
            peer: peer.address(),
        };
        match (self.place.take(), self.method.audit) {
            (Some(place), Audited::Yes { first: true }) if code == Code::Ok => {
                return Some(place.record_durably(entry()));
            }
            (Some(place), _) => place.record(entry()),
            (None, _) if matches!(code, Code::Unauthenticated | Code::PermissionDenied) => {
                audit.refused(entry());
            }
            // Nothing was done for it, and nobody is known who asked.
            (None, _) => {}
        }
        None
    }
}

/// On whose behalf a caller acts.
fn on_behalf_of(caller: &Principal) -> Option<OnBehalfOf> {
    let user = caller.on_behalf_of()?;
    Some(OnBehalfOf {
        issuer: user.issuer().into(),
        subject: user.subject().into(),
        prior_actors: caller.prior_actors().to_vec(),
    })
}
