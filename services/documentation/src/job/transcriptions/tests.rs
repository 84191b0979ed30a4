use super::*;

#[test]
fn what_becomes_of_a_job_when_the_service_does_not_answer() {
    let check = |code: Code, get: &str, watch: &str| {
        let shown = |failure: Failure| match failure {
            Failure::Retry(reason) => format!("retry {reason}"),
            Failure::Snooze(PAUSE, reason) => format!("snooze {reason}"),
            Failure::Snooze(other, reason) => format!("snooze {other:?} {reason}"),
            Failure::Dead(reason) => format!("dead {reason}"),
        };
        let found = shown(refused(&Status::new(code, "m")));
        assert!(found.starts_with(get), "{code:?}: {found}");
        let found = shown(broken_off(&Status::new(code, "m")));
        assert!(found.starts_with(watch), "{code:?}: {found}");
    };
    let (retry, snooze) = ("retry TRANSCRIPTION_UNAVAILABLE: ", "snooze ");
    let not_found = "dead TRANSCRIPTION_NOT_FOUND: ";
    check(Code::NotFound, not_found, not_found);
    check(Code::Unavailable, retry, snooze);
    check(Code::DeadlineExceeded, retry, snooze);
    check(Code::Unknown, retry, snooze);
    check(Code::PermissionDenied, retry, retry);
    check(Code::Unauthenticated, retry, retry);
    check(Code::Internal, retry, retry);
}
