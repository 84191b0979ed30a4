#![allow(clippy::unwrap_used, reason = "a test may panic")]
use std::time::Duration;

use tokio_stream::StreamExt as _;

use super::health_server::Health as _;
use super::*;

fn request(service: &str) -> Request<HealthCheckRequest> {
    Request::new(HealthCheckRequest {
        service: service.to_owned(),
    })
}

#[tokio::test]
async fn the_whole_serves_while_every_part_does() {
    let health = Health::new();
    health.set("a", Status::Serving);
    health.set("b", Status::Serving);
    assert_eq!(health.get(""), Some(Status::Serving));
    health.set("b", Status::NotServing);
    assert_eq!(
        (health.get("a"), health.get("")),
        (Some(Status::Serving), Some(Status::NotServing))
    );
    assert_eq!(
        health.check(request("c")).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn a_watch_tells_changes_and_ends_when_draining() {
    let health = Health::new();
    let mut watch = health.watch(request("a")).await.unwrap().into_inner();
    let mut next = async || watch.next().await.map(|answer| answer.unwrap().status());
    assert_eq!(next().await, Some(ServingStatus::ServiceUnknown));
    health.set("a", Status::Serving);
    assert_eq!(next().await, Some(ServingStatus::Serving));
    health.set("b", Status::Serving);
    health.set("a", Status::NotServing);
    assert_eq!(next().await, Some(ServingStatus::NotServing));
    health.set("a", Status::Serving);
    assert_eq!(next().await, Some(ServingStatus::Serving));
    health.drain();
    assert_eq!(next().await, Some(ServingStatus::NotServing));
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn a_list_has_every_service_and_the_whole() {
    let health = Health::new();
    health.set("a", Status::Serving);
    health.set("b", Status::NotServing);
    let list = async || health.list(Request::new(HealthListRequest {})).await;
    let statuses = list().await.unwrap().into_inner().statuses;
    let mut statuses: Vec<_> = statuses
        .iter()
        .map(|(name, answer)| (name.as_str(), answer.status()))
        .collect();
    statuses.sort_unstable();
    assert_eq!(
        statuses,
        [
            ("", ServingStatus::NotServing),
            ("a", ServingStatus::Serving),
            ("b", ServingStatus::NotServing),
        ]
    );

    // 99 and the whole are as many as there can be.
    for number in 3..=99 {
        health.set(&format!("service-{number}"), Status::Serving);
    }
    assert_eq!(list().await.unwrap().into_inner().statuses.len(), 100);
    health.set("one-more", Status::Serving);
    assert_eq!(list().await.unwrap_err().code(), Code::ResourceExhausted);
}

/// A check that answers what it is told to, and counts how often it was asked.
#[derive(Clone)]
struct Told {
    answer: Arc<watch::Sender<Answer>>,
    looks: Arc<watch::Sender<u32>>,
}

#[derive(Clone, Copy)]
enum Answer {
    Pass,
    Fail,
    Hang,
    Panic,
}

impl Told {
    fn new(answer: Answer) -> Self {
        Self {
            answer: Arc::new(watch::Sender::new(answer)),
            looks: Arc::default(),
        }
    }

    fn say(&self, answer: Answer) {
        self.answer.send_replace(answer);
    }

    fn looks(&self) -> u32 {
        *self.looks.borrow()
    }

    fn check(&self) -> Check {
        let told = self.clone();
        Check::new("store", move || {
            told.looks.send_modify(|looks| *looks += 1);
            let answer = *told.answer.borrow();
            async move {
                match answer {
                    Answer::Pass => Ok(()),
                    Answer::Fail => Err("the disk is full"),
                    Answer::Hang => std::future::pending().await,
                    #[allow(clippy::panic, reason = "what is tested")]
                    Answer::Panic => panic!("on purpose"),
                }
            }
        })
    }
}

/// Lets `time` pass, in which tasks run.
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

async fn start(health: &Health, check: Check) {
    let kept = begin(vec![check], health).await;
    tokio::spawn(keep(kept));
}

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn two_failures_in_a_row_count_and_one_success() {
    let health = Health::new();
    health.set("a", Status::Serving);
    let told = Told::new(Answer::Pass);
    start(&health, told.check()).await;
    assert_eq!((told.looks(), health.get("a")), (1, Some(Status::Serving)));
    // Not one failure alone, however often.
    for look in [2, 4] {
        told.say(Answer::Fail);
        pass(Duration::from_secs(5) + MOMENT).await;
        assert_eq!(told.looks(), look);
        assert_eq!(health.get("a"), Some(Status::Serving));
        told.say(Answer::Pass);
        pass(Duration::from_secs(1)).await;
        assert_eq!(told.looks(), look + 1);
    }
    told.say(Answer::Fail);
    pass(Duration::from_secs(5)).await;
    assert_eq!(health.get("a"), Some(Status::Serving));
    pass(Duration::from_secs(1)).await;
    assert_eq!(health.get("a"), Some(Status::NotServing));
    assert_eq!(health.get(""), Some(Status::NotServing));
    assert_eq!(
        health.reasons(),
        ["the check `store` fails: the disk is full"]
    );
    told.say(Answer::Pass);
    pass(Duration::from_secs(1)).await;
    assert_eq!(health.get("a"), Some(Status::Serving));
    assert!(health.reasons().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_first_look_counts_at_once_and_has_a_time() {
    for (answer, reason) in [
        (Answer::Fail, "the disk is full"),
        (Answer::Hang, "no answer within 2s"),
        (Answer::Panic, "the check panicked"),
    ] {
        let health = Health::new();
        health.set("a", Status::Serving);
        health.set("b", Status::Serving);
        let told = Told::new(answer);
        let begun = tokio::time::Instant::now();
        start(&health, told.check().of(["a"])).await;
        assert!(begun.elapsed() <= Duration::from_secs(2));
        assert_eq!(health.get("a"), Some(Status::NotServing), "{reason}");
        assert_eq!(health.get("b"), Some(Status::Serving));
        let reasons = health.reasons();
        assert!(reasons[0].contains(reason), "{reasons:?}");
        told.say(Answer::Pass);
        pass(Duration::from_secs(1) + MOMENT).await;
        assert_eq!(health.get("a"), Some(Status::Serving));
    }
}

#[tokio::test(start_paused = true)]
async fn a_prompt_is_heeded_a_second_after_the_last_look() {
    let health = Health::new();
    health.set("a", Status::Serving);
    let (told, prompt) = (Told::new(Answer::Pass), Prompt::default());
    start(&health, told.check().prompted_by(&prompt)).await;
    prompt.now();
    prompt.now();
    pass(MOMENT).await;
    assert_eq!(told.looks(), 1);
    pass(Duration::from_secs(1)).await;
    assert_eq!(told.looks(), 2);
    pass(Duration::from_secs(4)).await;
    assert_eq!(told.looks(), 2);
}
