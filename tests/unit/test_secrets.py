"""References to secrets, and what is masked once they were resolved."""

from __future__ import annotations

import base64
import json
import logging
import shlex
import sys
import threading
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler import secrets
from reconciler.desired.model import Secret
from reconciler.faults import FaultKind
from reconciler.secrets import MaskingFormatter, SecretUnavailable, mask, resolve


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins without known secrets."""
    monkeypatch.setattr(secrets, "_VAULT", secrets._Vault())


def program(text: str) -> Secret:
    return Secret(exec=[sys.executable, "-c", text])


def refused(reference: Secret) -> SecretUnavailable:
    with pytest.raises(SecretUnavailable) as caught:
        resolve(reference)
    assert caught.value.kind is FaultKind.LOGIN
    assert caught.value.next
    return caught.value


def test_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESXI_PASSWORD", " with blanks ")
    assert resolve(Secret(env="ESXI_PASSWORD")) == " with blanks "


def test_comes_from_a_file_or_program_without_the_newline_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"from a file\r\n")
    assert resolve(Secret(file=str(tmp_path / "secret"))) == "from a file"
    assert resolve(program("print('from a program\\n')")) == "from a program\n"


def test_a_program_gets_its_arguments_as_they_are_no_shell_reads_them() -> None:
    hostile = "$(echo x); `id` *"
    reference = Secret(exec=[sys.executable, "-c", "import sys; print(sys.argv[1])", hostile])
    assert resolve(reference) == hostile


def test_what_is_not_there_is_named_by_its_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ESXI_NONE", raising=False)
    monkeypatch.setenv("ESXI_EMPTY", "")
    missing = tmp_path / "missing"
    assert str(refused(Secret(env="ESXI_NONE"))) == (
        "no secret from {env: ESXI_NONE}: there is no such environment variable"
    )
    assert str(refused(Secret(env="ESXI_EMPTY"))) == "no secret from {env: ESXI_EMPTY}: it is empty"
    assert str(refused(Secret(file=str(missing)))) == (
        f"no secret from {{file: {missing}}}: no such file or directory"
    )
    assert str(refused(Secret(exec=["/no/such/program", "x"]))) == (
        "no secret from {exec: [/no/such/program, x]}: the program can't be run: no such file or directory"
    )
    assert "this is no command" in str(refused(Secret(exec=["a\0b"])))


def test_a_program_that_fails_is_named_without_what_it_printed() -> None:
    fault = refused(program("import sys; print('a' + 'b'); sys.stderr.write('c' + 'd'); sys.exit(3)"))
    assert "ended with status 3" in fault.message
    assert "ab" not in fault.message.partition("]}")[2]
    assert "cd" not in fault.message.partition("]}")[2]
    assert "not UTF-8" in refused(program(r"import os; os.write(1, b'\xff\xfe')")).message


def test_a_program_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "EXEC_SECONDS", 0.2)
    assert "gave nothing within" in refused(program("import time; time.sleep(60)")).message


def known(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("ESXI_PASSWORD", secret)
    resolve(Secret(env="ESXI_PASSWORD"))


def test_nothing_is_masked_before_a_secret_is_known() -> None:
    assert mask("text") == "text"


def test_is_masked_in_every_form_that_it_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "pä\"ss <w>'rd+1\\"
    known(monkeypatch, secret)
    login = base64.b64encode(f"root:{secret}".encode()).decode()
    forms = [
        secret,
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        repr(secret),
        quote_plus(secret),
        shlex.quote(secret),
        base64.b64encode(secret.encode()).decode(),
        base64.urlsafe_b64encode(b"x" + secret.encode()).decode(),
        f"Basic {login}",
    ]
    masked = [mask(f"before {form} after") for form in forms]
    assert all("***" in text and text.startswith("before ") and text.endswith(" after") for text in masked)
    assert not [text for text in masked if "ss" in text or "rd" in text]


def test_each_line_of_a_secret_with_several_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, "-----BEGIN KEY-----\nfirst line\n  second line\n}\n")
    assert mask("a second line, and }") == "a ***, and }"
    assert mask("first line\r\n  second line") == "***\r\n  ***"


def test_a_secret_that_came_in_another_way_is_masked_too_and_an_empty_one_masks_nothing() -> None:
    secrets.conceal("")
    assert mask("https://hooks/T0K3N") == "https://hooks/T0K3N"
    secrets.conceal("T0K3N")
    assert mask("https://hooks/T0K3N") == "https://hooks/***"


def test_the_longer_of_two_secrets_is_masked_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, "secret")
    known(monkeypatch, "secret-and-more")
    known(monkeypatch, "secret")
    assert mask("secret-and-more secret") == "*** ***"


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=4, max_size=20).filter(
        lambda text: "*" not in text
    ),
    st.text("xyz", max_size=5),
    st.text("xyz", max_size=5),
)
@example(".*+?", "", "")
def test_any_secret_is_masked_letter_by_letter(secret: str, before: str, after: str) -> None:
    vault = secrets._Vault()
    vault.add(secret)
    assert secret not in vault.mask(before + secret + after)
    assert vault.mask(f"{before}\n{after}").count("\n") == 1


def test_secrets_become_known_while_others_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    vault = secrets._Vault()
    names = [f"secret-number-{at}-" for at in range(60)]
    threads = [threading.Thread(target=vault.add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
        assert vault.mask("text") == "text"
    for thread in threads:
        thread.join()
    assert vault.mask(" ".join(names)) == " ".join(["***"] * 60)


def test_logs_are_masked_arguments_and_tracebacks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, "hunter2")
    formatter = MaskingFormatter(logging.Formatter("%(name)s %(message)s"))
    try:
        raise ValueError("hunter2")
    except ValueError:
        record = logging.LogRecord("n", logging.INFO, "", 1, "with %s", ("hunter2",), sys.exc_info())
    text = formatter.format(record)
    assert text.startswith("n with ***\n")
    assert "hunter2" not in text


def test_many_secrets_are_all_masked_and_a_short_one_uncovers_no_part_of_a_long_one() -> None:
    vault, names = secrets._Vault(), [f"pa55-{number:04d}-word" for number in range(200)]
    for name in (*names, "0007-word-and-more", "ord-and"):
        vault.add(name)
    assert vault.mask(" ".join(names)) == " ".join(["***"] * 200)
    assert vault.mask("x 0007-word-and-more y pa55-0007-word-and z") == "x *** y *** z"
