//! Who gives an order, for the audit log.

use clap::Args;
use specie_server::Actor;

/// Who does it.
#[derive(Args, Debug)]
pub(crate) struct By {
    /// Your name, for the audit log; your login name without it
    #[arg(long, value_name = "NAME", value_parser = parse_operator)]
    by: Option<Actor>,
}

impl By {
    /// The name given, that of the login, or the number of the user.
    pub(crate) fn actor(&self) -> Actor {
        let login = || std::env::var("USER").ok().and_then(|name| Actor::operator(&name));
        let number = || Actor::operator(&format!("user-{}", rustix::process::getuid().as_raw()));
        self.by.or_else(login).or_else(number).expect("a number is a name")
    }
}

fn parse_operator(text: &str) -> Result<Actor, String> {
    Actor::operator(text).ok_or_else(|| "a name has 1 to 32 bytes, and `service` is the server's own".to_owned())
}
