// The page with a new secret: the copy button, and a reload that shows the page of the row instead of submitting the form again.
(function () {
    const page = document.getElementById("new-secret");
    const secret = document.getElementById("secret");
    const button = page.querySelector("[data-copy]");

    history.replaceState(null, "", page.dataset.page);

    function select() {
        const range = document.createRange();
        range.selectNodeContents(secret);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
    }

    function copy() {
        select();
        if (navigator.clipboard) {  // exists only on https and localhost
            return navigator.clipboard.writeText(secret.textContent);
        }
        return document.execCommand("copy") ? Promise.resolve() : Promise.reject();
    }

    button.addEventListener("click", () => copy().then(
        () => { button.textContent = "Copied"; },
        () => { button.textContent = "Press Ctrl-C"; },
    ));
})();
