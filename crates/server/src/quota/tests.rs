#![allow(clippy::unwrap_used, reason = "a test may panic")]

use scribemed_rpc::metadata;
use tokio::time::advance;
use tonic_types::StatusExt as _;

use super::*;

fn quotas(text: &str) -> Quotas {
    Quotas::new(&text.parse().unwrap()).unwrap()
}

/// How many of a thousand calls at once are taken.
fn taken(quotas: &Quotas, caller: &str) -> usize {
    (0..1_000)
        .filter(|_| quotas.take(caller, "x.scribemed").is_ok())
        .count()
}

#[test]
fn what_is_malformed_is_named() {
    let check = |text: &str, rule: &str, why: &str| {
        let error = text.parse::<RateLimits>().unwrap_err().to_string();
        assert!(error.contains(&format!("`{rule}`")), "{error}");
        assert!(
            error.contains(why) && error.contains("documentation=100/s"),
            "{error}"
        );
    };
    check("", "", "no `=`");
    check("documentation", "documentation", "no `=`");
    check("a=1/s,", "", "no `=`");
    check("Documentation=1/s", "Documentation=1/s", "in lower case");
    check("a=1/s,=5/s", "=5/s", "discovery name");
    check("a=5", "a=5", "`/` and a unit");
    check("a=0/s", "a=0/s", "from 1 to");
    check("a=-1/s", "a=-1/s", "from 1 to");
    check("a=1.5/s", "a=1.5/s", "from 1 to");
    check("a=5/d", "a=5/d", "s, m or h");
    check("a=5/ss", "a=5/ss", "s, m or h");
    check("a=5/s, a=6/s", "a=6/s", "already");
}

#[tokio::test(start_paused = true)]
async fn each_caller_has_its_own() {
    let quotas = quotas("documentation=10/s, * = 3/m");
    assert_eq!(taken(&quotas, "documentation"), 10);
    assert_eq!(taken(&quotas, "gateway"), 3);
    assert_eq!(taken(&quotas, "transcription"), 3);
    advance(Duration::from_millis(500)).await;
    assert_eq!(taken(&quotas, "documentation"), 5);
    assert_eq!(taken(&quotas, "gateway"), 0);
    advance(Duration::from_secs(20)).await;
    assert_eq!(taken(&quotas, "documentation"), 10);
    assert_eq!(taken(&quotas, "gateway"), 1);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_rule_is_not_limited() {
    let quotas = quotas("documentation=10/s");
    assert_eq!(taken(&quotas, "gateway"), 1_000);
    assert!(Quotas::new(&RateLimits::default()).is_none());
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_whoever_calls() {
    let quotas = quotas("*=1/h");
    let first = (0..CALLERS)
        .filter(|index| quotas.take(&format!("caller-{index}"), "x").is_ok())
        .count();
    assert_eq!(first, CALLERS);
    // Those above share one.
    let more = (CALLERS..CALLERS * 2)
        .filter(|index| quotas.take(&format!("caller-{index}"), "x").is_ok())
        .count();
    assert_eq!(more, 1);
    assert_eq!(quotas.any.unwrap().seen.load().len(), CALLERS);
}

#[tokio::test(start_paused = true)]
async fn tells_when_to_come_again() {
    let quotas = quotas("gateway=4/s");
    assert_eq!(taken(&quotas, "gateway"), 4);
    advance(Duration::from_millis(100)).await;
    let status = quotas.take("gateway", "greeter.scribemed").unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(
        (info.reason.as_str(), info.domain.as_str()),
        ("RATE_LIMITED", "greeter.scribemed")
    );
    assert_eq!(info.metadata["rate"], "4/s");
    let violation = &details.quota_failure().unwrap().violations[0];
    assert_eq!(violation.subject, "service:gateway");
    let wait = details.retry_info().unwrap().retry_delay.unwrap();
    assert_eq!(wait, Duration::from_millis(150));
    let pushback = status
        .metadata()
        .as_ref()
        .get(metadata::GRPC_RETRY_PUSHBACK_MS);
    assert_eq!(pushback.unwrap(), "150");
    advance(wait).await;
    assert!(quotas.take("gateway", "x").is_ok());
}
