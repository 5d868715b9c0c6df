"""Closes what is stored encrypted with the first passphrase, so that the others can be taken away."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Model

from participants.secrets import decrypt, encrypt, is_current


@dataclass
class ReencryptionTotals:
    """Ciphertexts that were looked at, that the first passphrase did not open but another did, and that none opens."""

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
    """Go through all rows, of all tenants, and count into `total`. What somebody changes meanwhile is left as they have it."""
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
