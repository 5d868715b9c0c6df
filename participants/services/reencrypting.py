"""Encrypts stored secrets again with the first passphrase, so that the other passphrases can be removed."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Model

from participants.secrets import decrypt, encrypt, is_current


@dataclass
class ReencryptionTotals:
    """Counts of ciphertexts: all that were read, those that were encrypted again, and those that no passphrase can decrypt."""

    secrets: int = 0
    reencrypted: int = 0
    unreadable: int = 0


def reencrypt(
    model: type[Model],
    column: str,
    *,
    is_dry_run: bool,
    report_progress: Callable[[int], None],
    total: ReencryptionTotals,
) -> None:
    """Encrypt `column` of all rows of all tenants again where needed, and add the counts to `total`.

    `report_progress` is called with 1 for each row. A row that changes meanwhile keeps its new value.
    """
    rows = model._default_manager.exclude(**{column: None}).order_by("pk")
    for pk, ciphertext in list(rows.values_list("pk", column)):
        report_progress(1)
        total.secrets += 1
        if is_current(ciphertext):
            continue
        text = decrypt(ciphertext, of=f"{model._meta.verbose_name} {pk}")
        if text is None:
            total.unreadable += 1
            continue
        total.reencrypted += 1
        if not is_dry_run:
            model._default_manager.filter(pk=pk, **{column: ciphertext}).update(**{column: encrypt(text)})
