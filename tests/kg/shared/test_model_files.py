"""Where a model's files are found."""

import json
from pathlib import Path

import pytest

from kg.shared.errors import InputError
from kg.shared.model_files import locate


def test_other_names_stay_as_they_are():
    assert locate("org/model") == "org/model"
    assert locate("/a/folder") == "/a/folder"


def test_a_file_of_a_package():
    assert locate("package:json/decoder.py") == str(Path(json.__file__).parent / "decoder.py")


@pytest.mark.parametrize("name", ["package:no_such_package/model", "package:", "package:a-b/c"])
def test_a_package_that_is_not_installed(name):
    with pytest.raises(InputError, match="not installed"):
        locate(name)


def test_a_file_that_the_package_lacks():
    with pytest.raises(InputError, match="has no 'nothing'"):
        locate("package:json/nothing")
