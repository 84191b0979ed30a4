//! On whose behalf: the end user goes along from service to service, and nobody's token is used for anybody else.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use greeter::greeter::Answers;
use greeter::identity::NAME;
use greeter::v1::greeter_service_client::GreeterServiceClient;
use greeter::v1::greeter_service_server::{GreeterService, GreeterServiceServer};
use greeter::v1::{
    ChatRequest, ChatResponse, CountDownRequest, CountDownResponse, GreetAllRequest,
    GreetAllResponse, SayGoodbyeRequest, SayGoodbyeResponse, SayHelloRequest, SayHelloResponse,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use scribemed_auth::end_user::{EndUsers, Issuer as Provider};
use scribemed_auth::token::{Grant, Issuer};
use scribemed_auth::verifier::{CacheConfig, Config};
use scribemed_auth::{
    BoxError, BoxFuture, CachedKeys, KeySet, SigningKey, SystemClock, Token, TokenCache,
    TokenSource, Verifier,
};
use scribemed_client::Channel;
use scribemed_rpc::{CallContext, ClientContract as _, SubjectToken, SubjectTokenKind};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::support::{CONTRACTS, permissions, reason, target};

const AUTH: &str = "auth.example";
const PROVIDER: &str = "https://id.example";

/// An auth service and an OpenID provider in memory.
struct World {
    own: SigningKey,
    provider: SigningKey,
    provider_private: EncodingKey,
}

impl World {
    fn new() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provider.pem");
        let provider = SigningKey::create(&path).unwrap();
        let text = std::fs::read(&path).unwrap();
        Arc::new(Self {
            own: SigningKey::generate().unwrap(),
            provider,
            provider_private: EncodingKey::from_ed_pem(&text).unwrap(),
        })
    }

    fn keys(signer: &SigningKey) -> CachedKeys {
        let published = KeySet::new([signer.public().clone()]).unwrap();
        CachedKeys::new(
            Arc::new(published),
            CacheConfig::default(),
            Arc::new(SystemClock),
        )
    }

    fn verifier(&self) -> Verifier {
        let config = Config::new(AUTH, NAME);
        Verifier::new(config, Self::keys(&self.own), Arc::new(SystemClock))
    }

    /// What a user has who has signed in.
    fn signed_in(&self, user: &str) -> SubjectToken {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let claims = json!({
            "iss": PROVIDER, "aud": "platform", "sub": user, "exp": now.as_secs() + 600,
        });
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.provider.kid().to_owned());
        let token = jsonwebtoken::encode(&header, &claims, &self.provider_private);
        SubjectToken::jwt(&token.unwrap())
    }
}

/// The tokens of one service.
struct Exchange {
    world: Arc<World>,
    service: &'static str,
}

impl Exchange {
    async fn issue(&self, subject: Option<&SubjectToken>) -> Result<Token, BoxError> {
        let granted = permissions(&["say:goodbyes"]);
        let grant = Grant {
            subject: self.service,
            client_id: self.service,
            audience: NAME,
            permissions: &granted,
        };
        let world = &self.world;
        let auth = Issuer::new(AUTH, Arc::new(SystemClock));
        let issued = match subject {
            None => auth.issue(&world.own, &grant)?,
            Some(token) => {
                let subject = match token.kind() {
                    SubjectTokenKind::Jwt => {
                        let keys = World::keys(&world.provider);
                        let pinned = [scribemed_auth::Algorithm::EdDsa];
                        let provider = Provider::new(PROVIDER, "platform", pinned, keys);
                        let users = EndUsers::new([provider], Arc::new(SystemClock));
                        users.verify(token.expose()).await?
                    }
                    SubjectTokenKind::AccessToken => {
                        let principal = world.verifier().verify(token.expose()).await?;
                        principal.subject().ok_or("it acts for itself")?
                    }
                };
                auth.issue_on_behalf(&world.own, &grant, &subject)?
            }
        };
        Ok(Token::new(issued.secret, issued.expires_at)?)
    }
}

impl TokenSource for Exchange {
    fn fetch<'a>(&'a self, _audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(self.issue(None))
    }

    fn fetch_on_behalf_of<'a>(
        &'a self,
        _audience: &'a str,
        subject: &'a SubjectToken,
    ) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(self.issue(Some(subject)))
    }
}

/// Says goodbye by asking the next one, and tells who asked it for whom.
struct Hop {
    next: Option<GreeterServiceClient<Channel>>,
}

fn none<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not asked here"))
}

#[tonic::async_trait]
impl GreeterService for Hop {
    async fn say_goodbye(
        &self,
        request: Request<SayGoodbyeRequest>,
    ) -> Result<Response<SayGoodbyeResponse>, Status> {
        let principal = scribemed_server::principal(&request)?;
        let user = principal.on_behalf_of();
        let mut text = format!(
            "{} for {} after {:?}",
            principal.service(),
            user.map_or("itself", |user| user.subject()),
            principal.prior_actors(),
        );
        if let Some(mut next) = self.next.clone() {
            let request = request.get_ref().clone();
            let answered = next.say_goodbye(request).await?.into_inner();
            text = format!("{text}; {}", answered.text);
        }
        Ok(Response::new(SayGoodbyeResponse { text }))
    }

    async fn say_hello(
        &self,
        _request: Request<SayHelloRequest>,
    ) -> Result<Response<SayHelloResponse>, Status> {
        none()
    }

    type CountDownStream = Answers<CountDownResponse>;

    async fn count_down(
        &self,
        _request: Request<CountDownRequest>,
    ) -> Result<Response<Self::CountDownStream>, Status> {
        none()
    }

    async fn greet_all(
        &self,
        _request: Request<Streaming<GreetAllRequest>>,
    ) -> Result<Response<GreetAllResponse>, Status> {
        none()
    }

    type ChatStream = Answers<ChatResponse>;

    async fn chat(
        &self,
        _request: Request<Streaming<ChatRequest>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        none()
    }
}

/// A server whose calls to `next` it makes as `service`. Returns the channel to it for the service `caller`.
async fn serve(
    world: &Arc<World>,
    caller: &'static str,
    next: Option<GreeterServiceClient<Channel>>,
) -> GreeterServiceClient<Channel> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = scribemed_server::Builder::new(NAME, world.verifier())
        .grace(Duration::from_secs(1))
        .add(GreeterServiceServer::new(Hop { next }));
    tokio::spawn(server.serve(listener, CancellationToken::new()));
    let source = Exchange {
        world: Arc::clone(world),
        service: caller,
    };
    let tokens = TokenCache::new(Arc::new(source), NAME, Arc::new(SystemClock));
    let channel = Channel::new(&target(address), &CONTRACTS, Some(tokens)).unwrap();
    GreeterServiceClient::over(channel)
}

async fn goodbye(
    mut client: GreeterServiceClient<Channel>,
    subject: Option<SubjectToken>,
) -> Result<String, Status> {
    let name = "Ada".to_owned();
    CallContext::background()
        .with_subject(subject)
        .scope(async move { client.say_goodbye(SayGoodbyeRequest { name }).await })
        .await
        .map(|response| response.into_inner().text)
}

#[tokio::test]
async fn the_user_goes_along_by_itself_and_is_never_mixed_up() {
    let world = World::new();
    let last = serve(&world, "documentation", None).await;
    let first = serve(&world, "gateway", Some(last)).await;
    let users = ["ada", "bob", "eve"].map(|user| (user, world.signed_in(user)));
    let calls = (0..60).map(|n| {
        let (first, user) = (first.clone(), users.get(n % 4).cloned());
        tokio::spawn(async move {
            let (name, subject) = user.unzip();
            (name, goodbye(first, subject).await)
        })
    });
    for call in calls.collect::<Vec<_>>() {
        let (user, text) = call.await.unwrap();
        let expect = match user {
            Some(user) => {
                format!("gateway for {user} after []; documentation for {user} after [\"gateway\"]")
            }
            None => "gateway for itself after []; documentation for itself after []".to_owned(),
        };
        assert_eq!(text.unwrap(), expect);
    }
}

#[tokio::test]
async fn a_call_for_a_user_without_a_good_token_is_not_made() {
    let world = World::new();
    let service = serve(&world, "gateway", None).await;
    let stranger = World::new().signed_in("ada");
    let status = goodbye(service.clone(), Some(stranger)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(reason(&status), "NO_CREDENTIALS");
    let own = goodbye(service, None).await.unwrap();
    assert_eq!(own, "gateway for itself after []");
}
