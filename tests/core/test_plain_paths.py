"""A folder under a plain path: its own where it will do."""

from kit import ODD

from hmgpu.core.plain_paths import plain_path


def test_a_folder_has_a_plain_path_for_a_while(tmp_path):
    (tmp_path / ODD).mkdir()
    with plain_path(tmp_path, str.isascii) as own:
        assert own == tmp_path
    with plain_path(tmp_path / ODD, str.isascii) as link:
        assert str(link).isascii()
        (link / "file").write_text("there")
    assert not link.exists()
    assert (tmp_path / ODD / "file").read_text() == "there"
