use std::sync::atomic::AtomicUsize;

use super::*;

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn it_wakes_a_task_that_waits_and_is_noted_by_one_at_work() {
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let woken = || count.0.load(Ordering::SeqCst);
    let task = Waker::from(Arc::clone(&count));
    let cx = Context::from_waker(&task);
    let bell = Doorbell::new();

    bell.answer(&cx);
    bell.waker().wake_by_ref();
    assert!(!bell.may_wait());
    assert_eq!(woken(), 0);

    bell.answer(&cx);
    assert!(bell.may_wait());
    bell.waker().wake_by_ref();
    assert_eq!(woken(), 1);
    // Woken, and not yet at work: more rings change nothing.
    bell.waker().wake_by_ref();
    assert!(woken() >= 1);
    bell.answer(&cx);
    assert!(bell.may_wait());
}

#[tokio::test(start_paused = true)]
async fn it_tells_since_when_somebody_waits() {
    let second = Duration::from_secs(1);
    let task = Waker::from(Arc::new(Count(AtomicUsize::new(0))));
    let cx = Context::from_waker(&task);
    let bell = Doorbell::new();
    bell.answer(&cx);
    assert_eq!(bell.since(), None, "it did not ring");

    assert!(bell.may_wait());
    tokio::time::advance(second).await;
    let rang = Instant::now();
    bell.waker().wake_by_ref();
    tokio::time::advance(second).await;
    bell.waker().wake_by_ref();
    tokio::time::advance(second).await;
    bell.answer(&cx);
    assert_eq!(bell.since(), Some(rang), "the first of two");

    // Who rings while the task is at work did not wait for it to come.
    bell.waker().wake_by_ref();
    bell.answer(&cx);
    assert_eq!(bell.since(), None);

    bell.waker().wake_by_ref();
    assert!(!bell.may_wait());
    let again = Instant::now();
    bell.again(&cx);
    tokio::time::advance(second).await;
    bell.answer(&cx);
    assert_eq!(bell.since(), Some(again));
    // A task that comes by itself.
    assert!(bell.may_wait());
    tokio::time::advance(second).await;
    bell.answer(&cx);
    assert_eq!(bell.since(), None);
}

#[tokio::test(start_paused = true)]
async fn who_rings_by_another_clock_tells_no_time() {
    let task = Waker::from(Arc::new(Count(AtomicUsize::new(0))));
    let cx = Context::from_waker(&task);
    let bell = Doorbell::new();
    bell.answer(&cx);
    assert!(bell.may_wait());
    tokio::time::advance(Duration::from_secs(3_600)).await;
    let outside = bell.waker().clone();
    let rung = std::thread::spawn(move || outside.wake()).join();
    assert!(rung.is_ok());
    bell.answer(&cx);
    assert_eq!(bell.since(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_ring_is_lost() {
    for _ in 0..2_000 {
        let bell = Arc::new(Doorbell::new());
        let rung = Arc::new(AtomicUsize::new(0));
        let ringer = tokio::spawn({
            let (waker, rung) = (bell.waker().clone(), Arc::clone(&rung));
            async move {
                rung.store(1, Ordering::SeqCst);
                waker.wake();
            }
        });
        // Would never end if the ring came between the last look and the wait.
        std::future::poll_fn(|cx| {
            loop {
                bell.answer(cx);
                if rung.load(Ordering::SeqCst) == 1 {
                    return std::task::Poll::Ready(());
                }
                if bell.may_wait() {
                    return std::task::Poll::Pending;
                }
            }
        })
        .await;
        assert!(ringer.await.is_ok());
    }
}
