// Answers questions about rendered machines, one JSON object a line in and one out. Started once for all tests.
import { createInterface } from "node:readline";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!DOCTYPE html><body></body>");
globalThis.window = window;
globalThis.document = window.document;
const mermaid = (await import("mermaid")).default;
const { createMachine, createActor } = await import("xstate");
const { interpret } = await import("xstate4");
const { toMachine } = (await import("xstate4/lib/scxml.js")).default;
mermaid.initialize({ startOnLoad: false });

// Mermaid keeps entities such as #58; in a form of its own until a browser draws them.
function plain(text) {
  return text.replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(Number(code)));
}

const answers = {
  async mermaid({ text }) {
    const { type, db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    const states = {};
    for (const state of db.getStates().values()) {
      states[state.id] = { says: state.descriptions.map(plain), classes: state.classes };
    }
    const relations = db.getRelations().map(({ id1, id2, relationTitle }) => [id1, id2, plain(relationTitle ?? "")]);
    return { type, states, relations, classes: [...db.getClasses().keys()] };
  },
  // The state after each event; an event names the rules that hold.
  xstate({ text, events }) {
    const guards = { rules: ({ event }, { all }) => all.every((rule) => event.rules[rule]) };
    const actor = createActor(createMachine(JSON.parse(text), { guards }));
    actor.start();
    return events.map((event) => {
      if (actor.getSnapshot().status === "active") actor.send(event);
      return actor.getSnapshot().value;
    });
  },
  scxml({ text, events }) {
    const service = interpret(toMachine(text, {}));
    service.start();
    return events.map(({ type, rules }) => {
      if (!service.getSnapshot().done) service.send({ ...rules, type });
      return service.getSnapshot().value;
    });
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  let answer;
  try {
    answer = { gives: await answers[question.kind](question) };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
