// Editors made of cards (objectives, milestones). The server renders hidden blank cards at the end; "Add" shows the next one.
(function () {
    function add(editor) {
        const card = editor.querySelector("[data-card][hidden]");
        if (!card) return;
        card.hidden = false;
        card.querySelector("input:not([type=hidden])").focus();
        if (!editor.querySelector("[data-card][hidden]")) editor.querySelector("[data-add-card]").hidden = true;
    }

    // Clears and hides the card. Blank cards are not saved.
    function remove(card) {
        card.querySelectorAll("[data-row] [data-remove]").forEach((button) => button.click());
        card.querySelectorAll("input:not([type=hidden])").forEach((input) => { input.value = ""; });
        card.hidden = true;
    }

    function start(editor) {
        editor.addEventListener("click", (event) => {
            if (event.target.closest("[data-add-card]")) add(editor);
            const button = event.target.closest("[data-remove-card]");
            if (button) remove(button.closest("[data-card]"));
        });
    }

    document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-cards]").forEach(start));
})();
