//! Which traces are recorded.

use scribemed_rpc::TraceContext;

/// `OTEL_TRACES_SAMPLER` and its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sampler {
    /// What a trace that came from elsewhere says of itself holds.
    parent_based: bool,
    /// A trace is recorded if the lower 63 bits of its id are below this.
    below: u64,
}

/// Above all of 63 bits.
const ALL: u64 = 1 << 63;

impl Sampler {
    /// The default: what the caller has decided holds, and new traces are recorded.
    pub(super) const DEFAULT: Self = Self {
        parent_based: true,
        below: ALL,
    };

    /// The sampler of this name; `ratio`, from 0 to 1, is for those that draw. `None`: there is none.
    pub(super) fn named(name: &str, ratio: f64) -> Option<Self> {
        let (parent_based, root) = match name.strip_prefix("parentbased_") {
            Some(root) => (true, root),
            None => (false, name),
        };
        let below = match root {
            "always_on" => ALL,
            "always_off" => 0,
            "traceidratio" => share(ratio),
            _ => return None,
        };
        Some(Self {
            parent_based,
            below,
        })
    }

    pub(super) fn decide(self, context: &TraceContext) -> bool {
        if self.parent_based && context.parent_span_id().is_some() {
            return context.is_sampled();
        }
        // As OpenTelemetry's TraceIdRatioBased has it, so that services with one ratio decide alike.
        let lower = context.trace_id_value() & u128::from(u64::MAX);
        u64::try_from(lower).is_ok_and(|id| id >> 1 < self.below)
    }
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of 2^63, from 0 to 1"
)]
fn share(ratio: f64) -> u64 {
    (ratio.clamp(0.0, 1.0) * ALL as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(name: &str, ratio: f64, context: &TraceContext) -> Option<bool> {
        Sampler::named(name, ratio).map(|sampler| sampler.decide(context))
    }

    #[test]
    fn a_new_trace_is_decided_here_and_another_where_it_began() {
        let root = TraceContext::root();
        let child = root.clone().with_sampled(false).child();
        for (name, of_root, of_child) in [
            ("always_on", true, true),
            ("always_off", false, false),
            ("parentbased_always_on", true, false),
            ("parentbased_always_off", false, false),
        ] {
            assert_eq!(decided(name, 1.0, &root), Some(of_root), "{name}");
            assert_eq!(decided(name, 1.0, &child), Some(of_child), "{name}");
        }
        assert_eq!(decided("jaeger_remote", 1.0, &root), None);
    }

    #[test]
    fn a_ratio_takes_its_share() {
        let taken = (0..10_000)
            .filter(|_| decided("traceidratio", 0.25, &TraceContext::root()) == Some(true))
            .count();
        assert!((2_000..3_000).contains(&taken), "{taken}");
        for (ratio, expect) in [(0.0, false), (1.0, true)] {
            let root = TraceContext::root();
            assert_eq!(
                decided("parentbased_traceidratio", ratio, &root),
                Some(expect)
            );
        }
    }
}
