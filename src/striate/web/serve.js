// The page of `striate serve`: the explorer of the model, computed by the server, below the curves of the run.
import { element } from "./elements.js";
import { startExplorer } from "./explorer.js";
import { HttpSource, ask } from "./http_source.js";
import { startLive } from "./live.js";

const RETRY = 3000; // milliseconds until a run may have its first model

async function main() {
  const page = document.getElementById("page");
  try {
    const { model, run, differentiable } = await (await ask("/explorer/info")).json();
    if (run) startLive(document.getElementById("live"));
    if (model) return await start(page, model, differentiable);
    page.replaceChildren(element("p", { class: "hint", role: "status", text: "The run has no model yet; it appears here with the first checkpoint." }));
    waitForModel(page);
  } catch (error) {
    page.replaceChildren(element("p", { class: "problem", role: "alert", text: error.message }));
    throw error;
  }
}

function waitForModel(page) {
  setTimeout(async () => {
    const { model, differentiable } = await (await ask("/explorer/info")).json();
    if (!model) return waitForModel(page);
    document.title = model.name;
    await start(page, model, differentiable);
  }, RETRY);
}

async function start(page, model, differentiable) {
  const source = await HttpSource.load(model, differentiable), explorer = startExplorer(page, source);
  window.striate = explorer;
  if (!model.samples.length) explorer.offer(await source.samples()); // reading the data of a run takes a while
}

main();
