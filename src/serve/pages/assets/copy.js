// Buttons that copy text. Without JavaScript, the text can be opened or selected instead.

export function offerCopies() {
  for (const link of document.querySelectorAll("[data-copy-response]")) {
    const load = async () => {
      const response = await fetch(link.href);
      if (!response.ok) throw new Error("no text");
      return response.text();
    };
    offer(link, link.dataset.copyResponse, load);
  }
  for (const text of document.querySelectorAll("[data-copy]")) {
    offer(text, text.dataset.copy, async () => text.textContent);
  }
}

function offer(element, label, load) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = label;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(await load());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Can't copy: open or select it";
    }
    announce(button.textContent);
  });
  element.after(button);
}

/** Tells it to those who do not see the button. */
function announce(text) {
  let status = document.getElementById("announcement");
  if (!status) {
    status = document.createElement("p");
    status.id = "announcement";
    status.className = "unseen";
    status.setAttribute("role", "status");
    document.querySelector("main").append(status);
  }
  status.textContent = text;
}
