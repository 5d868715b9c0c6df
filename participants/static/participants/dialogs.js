// Opens the page behind a link with `data-dialog` as a dialog above the present page. Without this script the link opens the page itself.
(function () {
    const HEADERS = {"X-Dialog": "1"};

    document.addEventListener("click", (event) => {
        const link = event.target.closest("a[data-dialog]");
        if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
            event.preventDefault();
            open(link);
        }
        closeMenus(event.target);
    });
    document.addEventListener("keydown", (event) => {
        const menu = event.key === "Escape" && event.target.closest("details[data-menu][open]");
        if (menu) {
            menu.open = false;
            menu.querySelector("summary").focus();
        }
    });

    function closeMenus(target) {
        for (const menu of document.querySelectorAll("details[data-menu][open]")) {
            menu.open = menu.contains(target) && !target.closest("a");
        }
    }

    async function open(link) {
        const dialog = document.createElement("dialog");
        dialog.className = "console-dialog";
        dialog.setAttribute("aria-labelledby", "object-page-title");
        dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
        dialog.addEventListener("click", (event) => {
            if (event.target.closest("[data-cancel]")) {
                event.preventDefault();
                dialog.close();
            }
        });
        dialog.addEventListener("submit", (event) => {
            event.preventDefault();
            send(dialog, link, event.target, event.submitter);
        });
        if (show(dialog, link.href, await answer(link.href))) {
            document.body.append(dialog);
            dialog.showModal();
            focusFirst(dialog);
        }
    }

    async function send(dialog, link, form, button) {
        const body = new FormData(form, button);
        const buttons = form.querySelectorAll("button");
        buttons.forEach((each) => { each.disabled = true; });
        if (show(dialog, link.href, await answer(link.href, {method: "POST", body}))) {
            focusFirst(dialog);
        }
    }

    // Returns what the server answers: {next: URL} or {form: element}; null if it is neither.
    async function answer(url, options) {
        try {
            const response = await fetch(url, {headers: HEADERS, ...options});
            if (!response.ok || response.redirected) {
                return null;
            }
            if (response.headers.get("Content-Type").startsWith("application/json")) {
                return await response.json();
            }
            const page = new DOMParser().parseFromString(await response.text(), "text/html");
            return {form: page.querySelector("form[data-object-page]")};
        } catch {
            return null;
        }
    }

    // Shows a form in the dialog and returns true. Otherwise leaves the page: for the next one, or for the page of the action.
    function show(dialog, url, answered) {
        if (answered && answered.form) {
            dialog.replaceChildren(document.adoptNode(answered.form));
            return true;
        }
        const next = answered && answered.next ? answered.next : url;
        location.assign(next);
        return false;
    }

    function focusFirst(dialog) {
        const wrong = dialog.querySelector(".errors :is(input, select, textarea)");
        const first = wrong || dialog.querySelector("[autofocus]") || dialog.querySelector(":is(input:not([type=hidden]), select, textarea)");
        (first || dialog.querySelector("button")).focus();
    }
})();
