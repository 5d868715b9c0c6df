// What a form had sent when the session had ended is kept over the login, in this tab only. The form then offers to restore it.
(() => {
    "use strict";

    const LOST = "console-lost-input";

    document.addEventListener("DOMContentLoaded", () => {
        const sent = JSON.parse(sessionStorage.getItem(LOST) || "null");
        if (!sent || sent.isLost) return;
        // The next page after a form was sent: the login, an error, or a page of the console, which means that it arrived.
        if (document.querySelector("#login-form, [data-error]")) sessionStorage.setItem(LOST, JSON.stringify({ ...sent, isLost: true }));
        else sessionStorage.removeItem(LOST);
    });
})();
