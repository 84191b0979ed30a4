//! A caller of the first release, against today's services: tonic's own client as it was generated then, a token that the caller
//! asks for with an assertion of its own making, and the services as they run, on ports of their own.
//!
//! What is asserted here is what the release promised. A test that fails says that callers in the field break; it is mended in
//! the service.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    deprecated,
    reason = "a test fails by panicking, and calls what is deprecated to its end"
)]

mod auth;
mod caller;
mod documentation;
mod transcription;
mod world;

use std::collections::BTreeSet;
use std::time::Duration;

use prost_reflect::DescriptorPool;
use world::World;

/// Whoever waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the release documents as having no errors of its own.
const WITHOUT_ERRORS: &str = "scribemed.auth.v1.AuthService.GetKeySet";

/// All methods of the release.
fn methods() -> BTreeSet<String> {
    let pool = DescriptorPool::decode(scribemed_compat::IMAGE).unwrap();
    pool.services()
        .filter(|service| service.package_name().starts_with("scribemed."))
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| method.full_name().to_owned())
        .collect()
}

#[tokio::test]
async fn each_method_of_the_first_release_answers_what_it_did() {
    let scenario = async {
        let world = World::start().await;
        auth::answers(&world).await;
        let visit = transcription::answers(&world).await;
        documentation::answers(&world, &visit).await;
        assert_eq!(world.called(), methods());
        world.stop().await;
    };
    tokio::time::timeout(PATIENCE, scenario).await.unwrap();
}

#[tokio::test]
async fn each_method_of_the_first_release_refuses_as_it_did() {
    let scenario = async {
        let world = World::start().await;
        auth::refusals(&world).await;
        transcription::refusals(&world).await;
        documentation::refusals(&world).await;
        let mut methods = methods();
        assert!(methods.remove(WITHOUT_ERRORS));
        assert_eq!(world.refused(), methods);
        world.stop().await;
    };
    tokio::time::timeout(PATIENCE, scenario).await.unwrap();
}
