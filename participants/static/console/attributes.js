// Editors made of rows (attributes, conditions, grants): more rows, fewer rows, and only what the row needs to write.
(function () {
    function refresh(row) {
        const said = [...row.querySelectorAll("select")].map((select) => select.value);
        row.classList.toggle("is-flag", said.includes("yes") || said.includes("no"));
        row.classList.toggle("is-bare", said.includes("present") || said.includes("missing"));
        const kind = row.querySelector("select[data-kind]");
        if (kind) fit(row, kind.value);
    }

    // Of a row whose kinds need different things: those of this kind, and its codes to choose from.
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
        editor.template = rows[rows.length - 1].cloneNode(true);  // the server ends with a blank one
        rows.forEach(refresh);
        editor.addEventListener("change", (event) => refresh(event.target.closest("[data-row]")));
        editor.addEventListener("click", (event) => {
            if (event.target.closest("[data-add]")) add(editor);
            if (event.target.closest("[data-remove]")) event.target.closest("[data-row]").remove();
        });
    }

    document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-attributes]").forEach(start));
})();
