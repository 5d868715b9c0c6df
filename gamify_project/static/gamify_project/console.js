// unfold has controls that only react to a click: the filters, the theme, the sidebar. This makes them work with the keyboard.
(() => {
    "use strict";

    const CONTROLS = "a[x-on\\:click]:not([href]), span[x-on\\:click], h2[x-on\\:click]";
    const SCROLLERS = ".console-table, .console-scroll, .console-calendar";
    const NAMES = {
        dock_to_right: "Show or hide the sidebar",
        close: "Close the sidebar",
        light_mode: "Choose light or dark",
        dark_mode: "Choose light or dark",
        computer: "Choose light or dark",
    };

    function completeControl(control) {
        control.setAttribute("role", "button");
        control.setAttribute("tabindex", "0");
        const name = NAMES[control.textContent.trim()];
        if (name) {
            control.setAttribute("aria-label", name);
            control.removeAttribute("aria-hidden");
        }
    }

    /** Tables scroll within themselves on a narrow window. The arrow keys need the focus for that. */
    function markScrollers() {
        for (const each of document.querySelectorAll(SCROLLERS)) {
            if (each.scrollWidth > each.clientWidth) each.setAttribute("tabindex", "0");
            else each.removeAttribute("tabindex");
        }
    }

    /** The widgets of Django's own scripts lack names for screen readers. */
    function completeWidgets() {
        for (const each of document.querySelectorAll(".help-tooltip[aria-label]")) each.setAttribute("role", "img");
        for (const each of document.querySelectorAll(".select2-search__field")) each.setAttribute("aria-label", "Search");
        for (const each of document.querySelectorAll("td[class*=field-] select")) {
            if (!each.labels.length) each.setAttribute("aria-label", each.name.split("-").pop());
        }
    }

    document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(CONTROLS).forEach(completeControl));
    window.addEventListener("load", () => setTimeout(completeWidgets)); // after the scripts that make them
    window.addEventListener("load", markScrollers);
    window.addEventListener("resize", markScrollers);

    document.addEventListener("keydown", event => {
        if ((event.key === "Enter" || event.key === " ") && event.target.matches(CONTROLS)) {
            event.preventDefault();
            event.target.click();
        }
    });
})();
