//! `cargo xtask new-service` and `new-method`: what a new service or method needs in each place of the repository.
//!
//! Everything is planned first: names are checked, templates filled in, edits made in memory. Only when all of it fits is
//! anything written, and when a write fails, what was written before is taken back.

mod edit;
mod method;
mod names;
mod plan;
mod service;
mod template;

use anyhow::Result;

use self::names::{Names, parse_method, parse_word, parse_words};
use crate::workspace;

/// Which service to make.
#[derive(Debug, clap::Args)]
pub(crate) struct NewService {
    /// Its discovery name: one word in lower case.
    #[arg(value_parser = parse_word)]
    name: String,
    /// What it keeps: the singular, words in lower case joined by underscores. Default: NAME_record.
    #[arg(long, value_parser = parse_words)]
    resource: Option<String>,
    /// Shows what would be written, and writes nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Which method to add.
#[derive(Debug, clap::Args)]
pub(crate) struct NewMethod {
    /// The discovery name of the service.
    #[arg(value_parser = parse_word)]
    service: String,
    /// The method, in UpperCamelCase, a verb first: SendInvoice. What begins with Check, Count, Find, Get, List or Search
    /// changes nothing and may be repeated; anything else is sent once, until the contract says otherwise.
    #[arg(value_parser = parse_method)]
    method: String,
    /// The version of the contract. Default: the newest.
    #[arg(long)]
    version: Option<String>,
    /// What the caller must be allowed, VERB:THINGS. Default: the first permission of the service that reads, or writes.
    #[arg(long)]
    permission: Option<String>,
    /// Shows what would be written, and writes nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Adds a service.
///
/// # Errors
/// A name cannot be used, or a file does not look as expected: nothing was written.
pub(crate) fn new_service(args: &NewService) -> Result<()> {
    let root = workspace::root();
    let resource = args
        .resource
        .clone()
        .unwrap_or_else(|| format!("{}_record", args.name));
    let names = Names::new(&args.name, &resource);
    let plan = service::plan(&root, &names)?;
    plan.carry_out(args.dry_run)?;
    if !args.dry_run {
        plan::renew_lock(&root)?;
        plan::renew_reference(&root)?;
        println!("\n{}", service::next(&names));
    }
    Ok(())
}

/// Adds a method to a service.
///
/// # Errors
/// As for [`new_service`].
pub(crate) fn new_method(args: &NewMethod) -> Result<()> {
    let root = workspace::root();
    let (plan, next) = method::plan(
        &root,
        &method::Wish {
            service: &args.service,
            method: &args.method,
            version: args.version.as_deref(),
            permission: args.permission.as_deref(),
        },
    )?;
    plan.carry_out(args.dry_run)?;
    if !args.dry_run {
        plan::renew_reference(&root)?;
        println!("\n{next}");
    }
    Ok(())
}
