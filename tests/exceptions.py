"""
Tests that an engine can't pass, each with its reason: by engine, then by the
test's id without its parameters. Any other skip fails the run.
"""

_ON_A_SERVER = [
    "test_the_server_is_usable_once_it_is_initialised_and_not_before",
    "test_databases_compare_text_as_django_expects",
    "test_the_user_may_do_its_work_and_nothing_else",
    "test_the_site_starts_answers_and_comes_back_with_the_server",
    "test_the_root_of_the_server_needs_its_password",
]

_OF_A_FILE = [
    "test_nothing_is_lost_by_it",
    "test_it_is_done_only_when_it_is_due",
    "test_votes_of_another_process_go_on_meanwhile",
    "test_requests_ask_for_it",
]

_WITHOUT_A_SERVER = [
    "test_a_site_without_its_server_says_so_and_recovers",
    "test_a_landing_whose_server_is_killed_is_whole_or_nothing",
]

_WHILE_DECIDING = [
    "test_a_connection_is_left_while_its_server_is_away",
    "test_what_was_typed_and_the_draft_outlive_an_outage",
]

_OF_ANOTHER_CLIENT = [
    "test_an_unfinished_merge_is_told_of_and_what_was_sent_is_kept",
    "test_what_is_left_of_it_can_be_discarded_and_not_committed",
    "test_a_row_that_breaks_a_constraint_is_as_unfinished",
]

_AS_STORED = [
    "test_numbers_that_their_field_rounds_are_shown_as_stored",
    "test_a_file_holds_them_as_stored",
    "test_a_document_that_is_written_otherwise_is_shown_as_stored",
]

EXCEPTIONS: dict[str, dict[str, str]] = {
    "doltlite": {
        f"tests/contract/test_outage.py::{name}": (
            "the embedded engine has no server that could go away"
        )
        for name in _WITHOUT_A_SERVER
    }
    | {
        f"tests/contract/test_landing_outage.py::{name}": (
            "the embedded engine has no server that could go away"
        )
        for name in _WHILE_DECIDING
    }
    | {
        f"tests/web/test_unfinished_merge.py::{name}": (
            "the embedded engine lets nobody leave a merge in conflict"
        )
        for name in _OF_ANOTHER_CLIENT
    }
    | {
        f"tests/deploy/test_deployment.py::{name}": "a deployment is on a Dolt server"
        for name in _ON_A_SERVER
    },
    "dolt": {
        f"tests/web/test_looking_alike.py::{name}": (
            "the server rounds numbers, and orders documents, as it stores them"
        )
        for name in _AS_STORED
    }
    | {
        f"tests/contract/test_garbage.py::{name}": (
            "the server collects its garbage by itself, in files of its own"
        )
        for name in _OF_A_FILE
    }
    | {
        "tests/contract/test_binding.py::"
        "test_a_kept_connection_follows_the_default_branch": (
            "a server's setting, which takes a new connection to notice"
        ),
        "tests/contract/test_features.py::test_how_much_of_a_table_a_merge_reads": (
            "a server counts no steps; the benchmark has merges of two sizes"
        ),
    },
}
