//! A repository's address as the metadata contract wants it.

use codex_tracing_redact::Redactor;
use codex_tracing_transcript::Scrub;
use std::borrow::Cow;
use url::Url;

/// What an address says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repository {
    /// The address without credentials and `.git`.
    pub(super) url: String,
    /// `github`, `gitlab`, `bitbucket` or `other`.
    pub(super) provider: &'static str,
    /// The last two names of its path, such as `org/repo`.
    pub(super) name: Option<String>,
}

/// Reads the URL of a remote: a web or SSH URL, or `user@host:path`.
pub(super) fn repository(address: &str, redactor: &Redactor) -> Option<Repository> {
    let address = address.trim().trim_end_matches('/');
    let address = address.strip_suffix(".git").unwrap_or(address);
    if address.is_empty() {
        return None;
    }
    let (url, host, path) = match Url::parse(address) {
        Ok(url) if url.has_host() => {
            let (host, path) = (
                url.host_str().unwrap_or_default().to_owned(),
                url.path().to_owned(),
            );
            (without_credentials(url), host, path)
        }
        _ => match scp(address) {
            Some((host, path)) => (address.to_owned(), host.to_owned(), path.to_owned()),
            None => (address.to_owned(), String::new(), address.to_owned()),
        },
    };
    Some(Repository {
        url: redactor.text(Cow::Owned(url)),
        provider: provider(&host),
        name: name(&path),
    })
}

/// Any user of a web URL is a credential (tokens stand there too); that of SSH is `git`.
fn without_credentials(mut url: Url) -> String {
    // Both fail only for URLs that cannot have credentials.
    let _ = url.set_password(None);
    if url.scheme() != "ssh" {
        let _ = url.set_username("");
    }
    url.to_string().trim_end_matches('/').to_owned()
}

/// `git@github.com:org/repo`: host and path. A single letter before the colon is a drive.
fn scp(address: &str) -> Option<(&str, &str)> {
    let (before, path) = address.split_once(':')?;
    let host = before.rsplit('@').next()?;
    let is_host = host.len() > 1 && !before.contains(['/', '\\']) && !path.starts_with("//");
    is_host.then_some((host, path))
}

fn provider(host: &str) -> &'static str {
    let host = host.to_ascii_lowercase();
    let known = [
        ("github", "github"),
        ("gitlab", "gitlab"),
        ("bitbucket", "bitbucket"),
    ];
    let is = |word: &str| host.split('.').any(|label| label == word);
    known
        .into_iter()
        .find(|(word, _)| is(word))
        .map_or("other", |(_, provider)| provider)
}

fn name(path: &str) -> Option<String> {
    let names: Vec<_> = path
        .split(['/', '\\'])
        .filter(|name| !name.is_empty())
        .collect();
    let last = names.get(names.len().saturating_sub(2)..)?;
    (!last.is_empty()).then(|| last.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use codex_tracing_redact::Images;

    fn check(address: &str, expected: Option<(&str, &'static str, Option<&str>)>) {
        let (redactor, _) = Redactor::new(true, &[], None, Images::Keep);
        let expected = expected.map(|(url, provider, name)| Repository {
            url: url.to_owned(),
            provider,
            name: name.map(str::to_owned),
        });
        assert_eq!(repository(address, &redactor), expected, "{address}");
    }

    #[test]
    fn remotes_of_every_form_are_read() {
        let web = "https://github.com/org/repo";
        let name = Some("org/repo");
        check(web, Some((web, "github", name)));
        check(
            "https://github.com/org/repo.git",
            Some((web, "github", name)),
        );
        check("https://github.com/org/repo/", Some((web, "github", name)));
        check(
            "https://me:hunter2@github.com/org/repo.git",
            Some((web, "github", name)),
        );
        check(
            "https://ghp_token@github.com/org/repo.git",
            Some((web, "github", name)),
        );
        check(
            "git@github.com:org/repo.git",
            Some(("git@github.com:org/repo", "github", name)),
        );
        check(
            "ssh://git@gitlab.example.com:2222/a/b/repo.git",
            Some((
                "ssh://git@gitlab.example.com:2222/a/b/repo",
                "gitlab",
                Some("b/repo"),
            )),
        );
        check(
            "https://bitbucket.org/team/app",
            Some((
                "https://bitbucket.org/team/app",
                "bitbucket",
                Some("team/app"),
            )),
        );
        check(
            "https://notgithub.com/a/b",
            Some(("https://notgithub.com/a/b", "other", Some("a/b"))),
        );
        check(
            "/srv/git/app.git",
            Some(("/srv/git/app", "other", Some("git/app"))),
        );
        check("", None);
    }
}
