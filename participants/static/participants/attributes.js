// Editors that consist of rows (attributes, conditions, grants): adds and removes rows, and shows only the inputs that a row needs.
(function () {
    function refresh(row) {
        const values = [...row.querySelectorAll("select")].map((select) => select.value);
        row.classList.toggle("is-flag", values.includes("yes") || values.includes("no"));
        row.classList.toggle("is-bare", values.includes("present") || values.includes("missing"));
        const kind = row.querySelector("select[data-kind]");
        if (kind) fit(row, kind.value);
    }

    // Show only the inputs for this kind of row, and suggest its codes.
    function fit(row, kind) {
        row.querySelectorAll("[data-for]").forEach((part) => { part.hidden = !part.dataset.for.split(" ").includes(kind); });
        row.querySelector("[data-named]").setAttribute("list", `${row.dataset.editor}-${kind}`);
    }

    function add(editor) {
        const rows = editor.querySelectorAll("[data-row]");
        const last = rows[rows.length - 1];
        const row = editor.template.cloneNode(true);
        (last || editor.firstElementChild.nextElementSibling).after(row);
        refresh(row);
        row.querySelector("input").focus();
    }

    function start(editor) {
        const rows = editor.querySelectorAll("[data-row]");
        editor.template = rows[rows.length - 1].cloneNode(true);  // the last row from the server is blank
        rows.forEach(refresh);
        editor.addEventListener("change", (event) => refresh(event.target.closest("[data-row]")));
        editor.addEventListener("click", (event) => {
            if (event.target.closest("[data-add]")) add(editor);
            if (event.target.closest("[data-remove]")) event.target.closest("[data-row]").remove();
        });
    }

    document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-attributes]").forEach(start));
})();
