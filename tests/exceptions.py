"""
Tests that an engine can't pass, each with its reason: by engine, then by the
test's id without its parameters. Any other skip fails the run.
"""

_DEPLOYMENT = "tests/deploy/test_deployment.py::"
_IS_A_SERVER = "a deployment is on a Dolt server"

EXCEPTIONS: dict[str, dict[str, str]] = {
    "doltlite": {
        _DEPLOYMENT
        + "test_the_server_is_usable_once_it_is_initialised_and_not_before": _IS_A_SERVER,
        _DEPLOYMENT + "test_databases_compare_text_as_django_expects": _IS_A_SERVER,
        _DEPLOYMENT + "test_the_user_may_do_its_work_and_nothing_else": _IS_A_SERVER,
        _DEPLOYMENT + "test_the_server_is_the_version_that_is_tested": _IS_A_SERVER,
        _DEPLOYMENT
        + "test_the_site_starts_answers_and_comes_back_with_the_server": _IS_A_SERVER,
        _DEPLOYMENT + "test_the_root_of_the_server_needs_its_password": _IS_A_SERVER,
    },
    "dolt": {},
}
