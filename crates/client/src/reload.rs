//! Puts a changed service config into force.

use std::sync::{Arc, Weak};

use scribemed_resilience::throttle::RetryThrottle;
use scribemed_rpc::ServicePolicy;

use crate::builder::{balancing, throttling};
use crate::service_config::ServiceConfig;
use crate::service_config::file::ConfigFile;
use crate::shared::Shared;

/// Follows a service config file. Calls that are on their way go on under the policy that they began with.
pub(crate) struct Reload {
    file: ConfigFile,
    shared: Weak<Shared>,
    contracts: Vec<&'static ServicePolicy>,
}

impl Reload {
    pub(crate) fn new(
        file: ConfigFile,
        shared: &Arc<Shared>,
        contracts: Vec<&'static ServicePolicy>,
    ) -> Self {
        Self {
            file,
            shared: Arc::downgrade(shared),
            contracts,
        }
    }

    /// Runs until the channel is gone.
    pub(crate) async fn run(mut self) {
        loop {
            let config = self.file.changed().await;
            let Some(shared) = self.shared.upgrade() else {
                return;
            };
            self.apply(&config, &shared);
        }
    }

    fn apply(&self, config: &ServiceConfig, shared: &Shared) {
        for contract in &self.contracts {
            for method in contract.methods {
                if let Some(in_force) = shared.methods.get(method.path) {
                    in_force
                        .policy
                        .store(Arc::new(config.apply(contract, method)));
                }
            }
        }
        shared
            .balancer
            .set_policy(balancing(Some(config), &self.contracts));
        let throttle = throttling(Some(config), &self.contracts)
            .map(|policy| Arc::new(RetryThrottle::new(policy)));
        shared.throttle.store(throttle);
    }
}
