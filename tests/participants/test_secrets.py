import pytest

from participants.secrets import decrypt, encrypt

TEXT = "phx_ünïcode secret"
UNREADABLE = "secret_unreadable"


@pytest.fixture(autouse=True)
def no_keys_of_its_own(settings):
    settings.ENCRYPTION_KEYS = []


def test_a_ciphertext_is_unreadable_and_can_be_decrypted():
    ciphertext = encrypt(TEXT)

    assert decrypt(ciphertext, of="a test") == TEXT
    assert TEXT not in ciphertext
    assert encrypt(TEXT) != ciphertext


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"ENCRYPTION_KEYS": ["old"]}, {"ENCRYPTION_KEYS": ["new", "old"]}),
        ({"ENCRYPTION_KEYS": ["old"]}, {"ENCRYPTION_KEYS": ["old", "new"]}),
        ({"SECRET_KEY": "old"}, {"ENCRYPTION_KEYS": ["new", "old"]}),
        ({"SECRET_KEY": "old"}, {"SECRET_KEY": "new", "SECRET_KEY_FALLBACKS": ["older", "old"]}),
    ],
)
def test_every_configured_passphrase_decrypts_what_it_encrypted(settings, before, after):
    set_all(settings, before)
    ciphertext = encrypt(TEXT)

    set_all(settings, after)

    assert decrypt(ciphertext, of="a test") == TEXT


def test_the_first_passphrase_encrypts(settings):
    settings.ENCRYPTION_KEYS = ["new", "old"]
    ciphertext = encrypt(TEXT)

    settings.ENCRYPTION_KEYS = ["new"]

    assert decrypt(ciphertext, of="a test") == TEXT


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"ENCRYPTION_KEYS": ["old"]}, {"ENCRYPTION_KEYS": ["new"]}),
        ({"ENCRYPTION_KEYS": ["new", "old"]}, {"ENCRYPTION_KEYS": ["old"]}),
        ({"SECRET_KEY": "old"}, {"ENCRYPTION_KEYS": ["new"], "SECRET_KEY": "old"}),
    ],
)
def test_a_removed_passphrase_decrypts_nothing_and_the_log_names_the_secret(settings, caplog, before, after):
    set_all(settings, before)
    ciphertext = encrypt(TEXT)

    set_all(settings, after)

    assert decrypt(ciphertext, of="secret 7") is None
    assert UNREADABLE in caplog.text
    assert "secret 7" in caplog.text


@pytest.mark.parametrize("ciphertext", ["", "nonsense", "gAAAA", "é"])
def test_a_text_that_is_no_ciphertext_is_unreadable(caplog, ciphertext):
    assert decrypt(ciphertext, of="a test") is None
    assert UNREADABLE in caplog.text


def set_all(settings, values):
    for name, value in values.items():
        setattr(settings, name, value)
