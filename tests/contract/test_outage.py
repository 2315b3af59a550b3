"""The database server goes away and comes back; the site says so, and recovers."""

from collections.abc import Iterator

import pytest
from dolt_server import DoltServer

from tests.site import Site


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DoltServer]:
    """A server of this test's own, as it ends it."""
    with DoltServer(tmp_path_factory.mktemp("server")) as server:
        yield server


def test_a_site_without_its_server_says_so_and_recovers(
    server: DoltServer, tmp_path_factory: pytest.TempPathFactory
):
    with Site(tmp_path_factory.mktemp("site"), server=server) as site:
        assert site.get("/")[0] == 200

        server.kill()
        for path in ("/", "/polls/1/", "/accounts/login/", "/log/"):
            status, page = site.get(path)
            assert status == 503, (path, page)
            assert "<h1" in page, path
        assert site.get("/healthz")[0] == 503

        server.start()
        site.wait()
        for path in ("/", "/polls/1/", "/accounts/login/"):
            # As often as there are processes to have kept a dead connection.
            assert [site.get(path)[0] for _ in range(6)] == [200] * 6, path
        assert "Which band" in site.get("/")[1]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_landing_whose_server_is_killed_is_whole_or_nothing(
    server: DoltServer, tmp_path_factory: pytest.TempPathFactory, when: str
):
    with Site(tmp_path_factory.mktemp("site"), server=server) as site:
        site.stop()
        server.stop()
        said = site.run(
            "sys.path.insert(0, 'tools'); from tests import killing; "
            f"killing.main({str(server.data)!r}, {server.port}, {when!r})"
        )
    changes, landed = map(int, said.split())
    assert changes > 10
    assert 1 <= landed < changes
