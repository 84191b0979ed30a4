//! The spans of a call: one for the call, as its caller sees it, and one for each attempt (gRFC A72).

use std::time::{Duration, SystemTime};

use scribemed_rpc::TraceContext;
use scribemed_telemetry::traces::{Side, Span, Tracer, Value};
use tonic::Code;

/// The names of a method's spans, made once.
#[derive(Debug)]
pub(crate) struct SpanNames {
    method: &'static str,
    /// `Sent.greeter.v1.Greeter.Greet`.
    sent: String,
    /// `Attempt.greeter.v1.Greeter.Greet`.
    attempt: String,
}

impl SpanNames {
    /// Those of `greeter.v1.Greeter/Greet`.
    pub(crate) fn new(method: &'static str) -> Self {
        let dotted = method.replace('/', ".");
        Self {
            method,
            sent: format!("Sent.{dotted}"),
            attempt: format!("Attempt.{dotted}"),
        }
    }
}

/// A span that has begun.
#[derive(Debug)]
pub(crate) struct Traced {
    tracer: Tracer,
    context: TraceContext,
    begun: SystemTime,
}

/// What an attempt's span tells beside its end.
#[derive(Debug)]
pub(crate) struct AttemptSpan {
    traced: Traced,
    previous_attempts: u32,
    transparent: bool,
}

impl Traced {
    /// The span with the ids of `context`; `None`: it is not recorded.
    pub(crate) fn begin(tracer: Option<&Tracer>, context: &TraceContext) -> Option<Box<Self>> {
        let tracer = tracer.filter(|_| context.is_sampled())?;
        Some(Box::new(Self {
            tracer: tracer.clone(),
            context: context.clone(),
            begun: SystemTime::now(),
        }))
    }

    /// The call has ended.
    pub(crate) fn end(&self, names: &SpanNames, target: &str, duration: Duration, code: Code) {
        let attributes = [
            ("rpc.method", Value::Text(names.method)),
            ("grpc.target", Value::Text(target)),
        ];
        self.record(&names.sent, duration, code, &attributes);
    }

    /// An attempt of this call begins.
    pub(crate) fn attempt(&self, previous_attempts: u32, transparent: bool) -> Box<AttemptSpan> {
        Box::new(AttemptSpan {
            traced: Self {
                tracer: self.tracer.clone(),
                context: self.context.child(),
                begun: SystemTime::now(),
            },
            previous_attempts,
            transparent,
        })
    }

    fn record(
        &self,
        name: &str,
        duration: Duration,
        code: Code,
        attributes: &[(&'static str, Value<'_>)],
    ) {
        self.tracer.record(&Span {
            name,
            side: Side::Client,
            context: &self.context,
            begun: self.begun,
            duration,
            code: code as i32,
            attributes,
        });
    }
}

impl AttemptSpan {
    /// What goes along with the attempt, so that the span of the service is its child.
    pub(crate) fn context(&self) -> &TraceContext {
        &self.traced.context
    }

    /// The attempt has ended.
    pub(crate) fn end(&self, names: &SpanNames, endpoint: &str, duration: Duration, code: Code) {
        let attributes = [
            ("rpc.method", Value::Text(names.method)),
            ("server.address", Value::Text(endpoint)),
            (
                "previous-rpc-attempts",
                Value::Number(self.previous_attempts.into()),
            ),
            ("transparent-retry", Value::Flag(self.transparent)),
        ];
        self.traced
            .record(&names.attempt, duration, code, &attributes);
    }
}
