// A colour: the picker writes into the text box, which may also contain a name or be empty.
(function () {
    function start(box) {
        const picker = box.querySelector("[data-color-picker]");
        const text = box.querySelector("input[type=text]");

        function show() {
            const isCode = /^#[0-9a-f]{6}$/i.test(text.value);
            if (isCode) picker.value = text.value;
            box.classList.toggle("is-none", !isCode);
        }

        picker.addEventListener("input", () => { text.value = picker.value.toUpperCase(); show(); });
        text.addEventListener("input", show);
        show();
    }

    document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-color]").forEach(start));
})();
