// The page with a new secret: copy it, and make "reload" show the page of its row instead of sending the form again.
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
        if (navigator.clipboard) {  // only on https and on this machine
            return navigator.clipboard.writeText(secret.textContent);
        }
        return document.execCommand("copy") ? Promise.resolve() : Promise.reject();
    }

    button.addEventListener("click", () => copy().then(
        () => { button.textContent = "Copied"; },
        () => { button.textContent = "Press Ctrl-C"; },
    ));
})();
