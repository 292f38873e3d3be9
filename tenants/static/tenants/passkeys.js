// Says in words why a passkey did not work; allauth's own script only writes it to the console.
const WORDS = {
  NotAllowedError: "That was cancelled, or it took too long. Try again.",
  InvalidStateError: "This device has a passkey for your account already.",
  SecurityError: "Passkeys need a secure address with a name, such as https://… or http://localhost:8000, not a number.",
  NotSupportedError: "This device can't make such a passkey.",
};

document.addEventListener("allauth.error", (event) => {
  const problem = document.querySelector("[data-passkey-problem]");
  problem.textContent = WORDS[event.detail.exception?.name] ?? "Your browser could not use a passkey here.";
  problem.hidden = false;
  problem.scrollIntoView({ block: "nearest" });
  event.preventDefault();
});
