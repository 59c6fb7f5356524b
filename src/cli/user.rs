//! `narthex user`: people, one at a time. Whole servers are set up with `narthex apply`.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::base::id::UserId;
use crate::base::secret::Secret;
use crate::cli::open::{Opened, open};
use crate::cli::output::Output;
use crate::cli::prompt::new_password;
use crate::cli::source::SourceArgs;
use crate::users::model::{NewUser, User};
use crate::users::password::PasswordInput;
use crate::users::service::Users;
use crate::words::Language;

const EXAMPLES: &str = "\
Examples:
  narthex user create ada --email ada@example.org --name 'Ada Byron'
  narthex user create ada --generate-password
  narthex user passwd ada < password.txt
  narthex user totp ada
  narthex user sign-out ada
  narthex user invite grace@example.org --language de
  narthex user show ada
  narthex user keep ada

Passwords are asked for at a terminal, or read as one line of standard input; never given as
arguments, which other users of the machine can see.";

/// Makes users and sets their credentials.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct UserArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a user with a password, and print the id
    Create {
        /// The name to sign in with
        username: String,
        /// The id [default: a fresh UUID]
        #[arg(long, value_name = "ID")]
        id: Option<UserId>,
        /// E-mail address, taken as verified
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// Full name
        #[arg(long)]
        name: Option<String>,
        /// Make up a password and print it
        #[arg(long)]
        generate_password: bool,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Set a user's password; everything that they were signed in to ends
    Passwd {
        /// The name to sign in with
        username: String,
        /// Make up a password and print it
        #[arg(long)]
        generate_password: bool,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Give a user a new second factor and print it, or take it away
    Totp {
        /// The name to sign in with
        username: String,
        /// Take the second factor away
        #[arg(long)]
        remove: bool,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Invite somebody to make a user of their own: a letter with a link goes to the address
    Invite {
        /// The e-mail address
        address: String,
        /// The language of the letter: en or de
        #[arg(long, default_value = "en")]
        language: String,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Show a user, and whether they asked to be deleted
    Show {
        /// The name to sign in with
        username: String,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Take back the deletion that a user asked for; only they can ask for it
    Keep {
        /// The name to sign in with
        username: String,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Sign a user out everywhere; what apps were given ends, and they are told
    SignOut {
        /// The name to sign in with
        username: String,
        #[command(flatten)]
        source: SourceArgs,
    },
}

impl UserArgs {
    /// Runs `narthex user`.
    ///
    /// # Errors
    /// What failed, in words.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Create { username, id, email, name, generate_password, source } => {
                let opened = open(&source.load(None)?.config).await?;
                let known = [email.as_deref(), name.as_deref()].into_iter().flatten().collect();
                let (password, shown) =
                    password(&opened, (&username, known), generate_password).await?;
                let email_verified = email.is_some();
                let new =
                    NewUser { id, username, email, email_verified, name, ..NewUser::default() };
                let user = opened.users.create(new).await?;
                opened.users.set_password(&user.id, &password).await?;
                output.text(&shown)?;
                output.line(&format!("made user {} with the id {}", user.username, user.id))?;
            }
            Command::Passwd { username, generate_password, source } => {
                let opened = open(&source.load(None)?.config).await?;
                let id = find(&opened.users, &username).await?;
                let (password, shown) =
                    password(&opened, (&username, Vec::new()), generate_password).await?;
                opened.users.set_password(&id, &password).await?;
                output.text(&shown)?;
                output.line(&format!("set the password of {username}"))?;
            }
            Command::Invite { address, language, source } => {
                let config = source.load(None)?.config;
                anyhow::ensure!(
                    config.sign_up.takes_written_to(),
                    "nobody may sign up here: set sign_up.mode to invitation or open"
                );
                let language = Language::of_tags(&language).context("--language: en or de")?;
                open(&config).await?.users.invite(&address, language).await?;
                output.line(&format!("invited {address}"))?;
            }
            Command::Show { username, source } => {
                let users = open(&source.load(None)?.config).await?.users;
                let found = users.find_by_username(&username).await?;
                let user = found.with_context(|| format!("there is no user {username}"))?;
                output.text(&shown(&user))?;
            }
            Command::Keep { username, source } => {
                let users = open(&source.load(None)?.config).await?.users;
                let id = find(&users, &username).await?;
                let kept = users.cancel_deletion(&id).await?;
                let said = if kept { "will not be deleted" } else { "was not about to be deleted" };
                output.line(&format!("{username} {said}"))?;
            }
            Command::SignOut { username, source } => {
                let users = open(&source.load(None)?.config).await?.users;
                users.sign_out(&find(&users, &username).await?).await?;
                output.line(&format!("signed {username} out everywhere"))?;
            }
            Command::Totp { username, remove, source } => {
                let users = open(&source.load(None)?.config).await?.users;
                change_totp(&users, &username, remove, output).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn change_totp(
    users: &Users,
    username: &str,
    remove: bool,
    output: &mut Output,
) -> anyhow::Result<()> {
    let id = find(users, username).await?;
    if remove {
        users.remove_totp(&id).await?;
        output.line(&format!("{username} has no second factor any more"))?;
    } else {
        let totp = users.set_totp(&id, None).await?;
        output.line(&format!("secret  {}", totp.secret.reveal()))?;
        output.line(&format!("URL     {}", totp.otpauth_url.reveal()))?;
    }
    Ok(())
}

/// A user, a line for each fact.
fn shown(user: &User) -> String {
    let deletion =
        user.deletion_at.map_or_else(|| "not asked for".to_owned(), |at| at.to_rfc3339());
    let email = user.email.as_deref().unwrap_or("none");
    let (id, username, status) = (&user.id, &user.username, user.status);
    format!(
        "id        {id}\nusername  {username}\ne-mail    {email}\nstatus    {status}\ndeletion  {deletion}\n"
    )
}

async fn find(users: &Users, username: &str) -> anyhow::Result<UserId> {
    let found = users.find_by_username(username).await?;
    let user = found.with_context(|| format!("there is no user {username}"))?;
    Ok(user.id.clone())
}

/// A password that is asked for or made up; the text of one that is to be printed.
async fn password(
    opened: &Opened,
    (username, mut known): (&str, Vec<&str>),
    generate: bool,
) -> anyhow::Result<(PasswordInput, String)> {
    let (password, shown) = if generate {
        let made = Secret::generate(opened.ctx.entropy());
        let shown = format!("password  {}\n", made.reveal());
        (made, shown)
    } else {
        (new_password(username)?, String::new())
    };
    known.push(username);
    opened.users.check_chosen(&password, &known).await?;
    Ok((PasswordInput::Plain(password), shown))
}
