//! What kind of machine a session runs on, told from well-known variables.

use crate::context::Environment;
use crate::settings::SpanEnvironment;

/// Variables of build servers and hosts that name themselves, in the order they are asked.
pub(crate) const HOSTS: &[(&str, &str, &str)] = &[
    ("GITHUB_ACTIONS", "ci", "github_actions"),
    ("GITLAB_CI", "ci", "gitlab_ci"),
    ("CIRCLECI", "ci", "circleci"),
    ("BUILDKITE", "ci", "buildkite"),
    ("CI", "ci", "ci"),
    ("VERCEL", "server", "vercel"),
    ("NETLIFY", "server", "netlify"),
    ("ECS_CONTAINER_METADATA_URI_V4", "server", "ecs"),
    ("ECS_CONTAINER_METADATA_URI", "server", "ecs"),
    ("AWS_LAMBDA_FUNCTION_NAME", "server", "aws_lambda"),
];

/// The other variables that are asked.
pub(crate) const OTHERS: &[&str] = &["AWS_EXECUTION_ENV", "NODE_ENV"];

/// The first that says something: the user's own two variables, a host, `NODE_ENV`.
pub(crate) fn detect(env: &Environment) -> Option<SpanEnvironment> {
    stated(env)
        .or_else(|| hosted(env))
        .or_else(|| node(env.get("NODE_ENV")?.trim()))
}

fn stated(env: &Environment) -> Option<SpanEnvironment> {
    let text = |name| env.get(name).map(|value| value.trim().to_owned());
    let kind = text("BRAINTRUST_ENVIRONMENT_TYPE");
    let name = text("BRAINTRUST_ENVIRONMENT_NAME");
    (kind.is_some() || name.is_some()).then_some(SpanEnvironment { kind, name })
}

fn hosted(env: &Environment) -> Option<SpanEnvironment> {
    let runs_on = env.get("AWS_EXECUTION_ENV").unwrap_or_default();
    HOSTS
        .iter()
        .find(|(variable, _, name)| {
            let set = env
                .get(variable)
                .is_some_and(|value| !matches!(value.trim(), "false" | "0"));
            set || (*name == "ecs" && runs_on.starts_with("AWS_ECS_"))
                || (*name == "aws_lambda" && runs_on.starts_with("AWS_Lambda_"))
        })
        .map(|(_, kind, name)| environment(kind, name))
}

fn node(mode: &str) -> Option<SpanEnvironment> {
    match mode {
        "production" | "staging" => Some(environment("server", mode)),
        "development" | "local" => Some(environment("local", mode)),
        _ => None,
    }
}

fn environment(kind: &str, name: &str) -> SpanEnvironment {
    SpanEnvironment {
        kind: Some(kind.to_owned()),
        name: Some(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_says_something_decides() {
        for (pairs, expected) in [
            (&[][..], None),
            (
                &[("GITHUB_ACTIONS", "true"), ("CI", "true")],
                Some(("ci", "github_actions")),
            ),
            (
                &[("GITLAB_CI", "1"), ("CI", "true")],
                Some(("ci", "gitlab_ci")),
            ),
            (&[("CI", "true")], Some(("ci", "ci"))),
            (&[("CI", "false")], None),
            (&[("VERCEL", "1")], Some(("server", "vercel"))),
            (
                &[("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE")],
                Some(("server", "ecs")),
            ),
            (
                &[("AWS_EXECUTION_ENV", "AWS_Lambda_nodejs")],
                Some(("server", "aws_lambda")),
            ),
            (
                &[("AWS_LAMBDA_FUNCTION_NAME", "f")],
                Some(("server", "aws_lambda")),
            ),
            (
                &[("NODE_ENV", "production")],
                Some(("server", "production")),
            ),
            (&[("NODE_ENV", "local"), ("CI", "1")], Some(("ci", "ci"))),
            (
                &[("NODE_ENV", "development")],
                Some(("local", "development")),
            ),
            (&[("NODE_ENV", "test")], None),
            (
                &[
                    ("BRAINTRUST_ENVIRONMENT_TYPE", "server"),
                    ("BRAINTRUST_ENVIRONMENT_NAME", "x"),
                    ("CI", "1"),
                ],
                Some(("server", "x")),
            ),
        ] {
            let found = detect(&Environment::from_pairs(pairs.iter().copied()));
            let expected = expected.map(|(kind, name)| environment(kind, name));
            assert_eq!(found, expected, "{pairs:?}");
        }
    }
}
