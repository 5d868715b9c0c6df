// The form of a definition: the summary beside it follows the input, and what was entered is not lost.
(function () {
    const WAIT = 400;  // milliseconds after the last key
    const LOST = "console-lost-input";
    const NOT_KEPT = /^(csrfmiddlewaretoken|_.*|.*-shown|opened_for|idempotency_key|initial-.*)$/;

    document.addEventListener("DOMContentLoaded", () => {
        const beside = document.querySelector("[data-editor]");
        if (!beside || !beside.dataset.summary) return;
        const form = beside.closest("form");
        follow(form, beside);
        rememberOnSubmit(form, beside);
        offerLostInput(form, beside);
    });

    // --- the summary ---

    function follow(form, beside) {
        let timer, running;
        const later = () => {
            clearTimeout(timer);
            timer = setTimeout(async () => {
                if (running) running.abort();
                running = new AbortController();
                await refresh(form, beside, running.signal);
            }, WAIT);
        };
        for (const name of ["input", "change"]) document.addEventListener(name, (event) => {
            if (form.contains(event.target) || event.target.form === form) later();
        });
        // Rows and cards are removed by buttons. unfold warns of changes only after an input.
        form.addEventListener("click", (event) => {
            if (event.target.closest("[data-remove], [data-remove-card]")) {
                form.querySelector("input").dispatchEvent(new Event("input", {bubbles: true}));
            }
        });
    }

    async function refresh(form, beside, signal) {
        try {
            const options = {method: "POST", body: new FormData(form), headers: {"X-Fragment": "1"}, signal};
            const answer = await fetch(beside.dataset.summary, options);
            const hasEnded = answer.redirected || answer.status === 403;
            beside.querySelector("[data-expired]").hidden = !hasEnded;
            if (answer.ok && !hasEnded) show(await answer.text());
        } catch {
            // The next input asks again.
        }
    }

    // Replaces the parts of the page that changed, and keeps the focus.
    function show(html) {
        const page = new DOMParser().parseFromString(html, "text/html");
        for (const part of page.querySelectorAll("[data-live]")) {
            const old = document.querySelector(`[data-live="${part.dataset.live}"]`);
            if (!old || old.innerHTML === part.innerHTML) continue;
            const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
            const open = old.querySelector("details[open]");
            old.replaceChildren(...part.childNodes);
            if (open && old.querySelector("details")) old.querySelector("details").open = true;
            if (focused) document.getElementById(focused)?.focus();
        }
    }

    // A list suggests for the whole input. Names are separated by commas, so the suggestions begin with the names that are there.
    document.addEventListener("input", (event) => suggest(event.target));
    document.addEventListener("focusin", (event) => suggest(event.target));

    function suggest(input) {
        if (!input.matches || !input.matches("[data-suggests]")) return;
        const all = document.getElementById(input.dataset.suggests);
        if (!all) return;
        const own = ownList(input);
        const before = input.value.includes(",") ? `${input.value.slice(0, input.value.lastIndexOf(",") + 1)} ` : "";
        const named = before.split(",").map((name) => name.trim());
        const left = [...all.options].map((option) => option.value).filter((name) => !named.includes(name));
        own.replaceChildren(...left.map((name) => new Option("", before + name)));
    }

    function ownList(input) {
        let list = input.nextElementSibling;
        if (!list || list.tagName !== "DATALIST") {
            list = document.createElement("datalist");
            list.id = `suggested-${input.name}`;
            input.after(list);
            input.setAttribute("list", list.id);
        }
        return list;
    }

    // --- input that was sent after the session had ended ---

    // What was sent is remembered in this tab until the next page of the console. `participants/lost_input.js` keeps it over a login.
    function rememberOnSubmit(form, beside) {
        form.addEventListener("submit", () => {
            const secrets = [...form.elements].filter((each) => each.type === "password").map((each) => each.name);
            const isKept = ([name, value]) => typeof value === "string" && !NOT_KEPT.test(name) && !secrets.includes(name);
            const input = [...new FormData(form)].filter(isKept);
            sessionStorage.setItem(LOST, JSON.stringify({path: location.pathname, user: beside.dataset.user, input, isLost: false}));
        });
    }

    function offerLostInput(form, beside) {
        const lost = JSON.parse(sessionStorage.getItem(LOST) || "null");
        if (!lost || !lost.isLost || lost.path !== location.pathname) return;
        sessionStorage.removeItem(LOST);
        if (lost.user !== beside.dataset.user) return;
        const offer = document.querySelector("[data-lost-input]");
        offer.hidden = false;
        offer.querySelector("[data-restore]").addEventListener("click", () => {
            restore(form, lost.input);
            offer.hidden = true;
        });
        offer.querySelector("[data-discard]").addEventListener("click", () => { offer.hidden = true; });
    }

    function restore(form, input) {
        const values = new Map();
        for (const [name, value] of input) values.set(name, [...(values.get(name) || []), value]);
        for (const [name, texts] of values) addRows(form, name, texts.length);
        const names = new Set([...form.elements].map((each) => each.name).filter((name) => name && !NOT_KEPT.test(name)));
        for (const name of names) fill([...form.elements].filter((each) => each.name === name), values.get(name) || []);
        form.querySelector("input").dispatchEvent(new Event("input", {bubbles: true}));
    }

    // Editors made of rows need as many rows as were sent.
    function addRows(form, name, number) {
        const inputs = () => form.querySelectorAll(`[data-row] [name="${CSS.escape(name)}"]`);
        const editor = inputs()[0]?.closest("[data-attributes]");
        while (editor && inputs().length < number) editor.querySelector("[data-add]").click();
        const card = form.querySelector(`[data-card][hidden] [name="${CSS.escape(name)}"]`)?.closest("[data-card]");
        if (card) card.hidden = false;
    }

    function fill(inputs, texts) {
        inputs.forEach((each, index) => {
            if (each.type === "checkbox" || each.type === "radio") each.checked = texts.includes(each.value);
            else if (each.tagName === "SELECT" && each.multiple) for (const option of each.options) option.selected = texts.includes(option.value);
            else if (each.type !== "hidden" && each.type !== "file") each.value = texts[index] ?? "";
            each.dispatchEvent(new Event("input", {bubbles: true}));
            each.dispatchEvent(new Event("change", {bubbles: true}));
        });
    }
})();
