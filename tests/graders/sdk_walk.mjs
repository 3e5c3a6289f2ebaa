// Walks through a part of the API with the official SDK, as set up by the environment alone.
//
// Reads what to ask as JSON from standard input and prints what it was told; `sdk_walk.py` is the
// same in Python, and says more. Run with the name of the package and the part.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [name, part] = process.argv.slice(2);
const { OpenAI, APIError, toFile } = await import(name);
const FINAL = ["completed", "failed", "canceled", "succeeded", "cancelled"];
const PATIENCE_MS = 60_000;

async function every(pages) {
  const entries = [];
  for await (const entry of pages) entries.push(entry);
  return entries;
}

async function told(call) {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    const { status, param, code, type } = error;
    const message = error.error.message;
    return { exception: error.constructor.name, status, param, code, type, message };
  }
}

async function final(retrieve) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const state = await retrieve();
    if (FINAL.includes(state.status)) return state;
    if (Date.now() > deadline) throw new Error(JSON.stringify(state));
  }
}

async function each(bodies, call) {
  const answers = {};
  for (const [key, body] of Object.entries(bodies)) answers[key] = await call(body);
  return answers;
}

async function graders(client, asked) {
  const api = client.fineTuning.alpha.graders;
  return {
    runs: await each(asked.runs, (body) => api.run(body)),
    validated: await each(asked.validated, (grader) => api.validate({ grader })),
    refused: await each(asked.refused, (grader) => told(() => api.validate({ grader }))),
    refused_runs: await each(asked.refused_runs, (body) => told(() => api.run(body))),
  };
}

async function upload(client, text, name, purpose) {
  return client.files.create({ file: await toFile(Buffer.from(text), name), purpose });
}

async function contentOf(client, id) {
  return (await client.files.content(id)).text();
}

async function files(client, asked) {
  const api = client.files;
  const made = await upload(client, asked.jsonl, "rows.jsonl", "evals");
  const other = await upload(client, asked.jsonl, "more.jsonl", "fine-tune");
  return {
    made,
    other,
    retrieved: await api.retrieve(made.id),
    content: await contentOf(client, made.id),
    listed: await every(api.list({ limit: 1, order: "asc" })),
    of_purpose: await every(api.list({ purpose: "evals" })),
    deleted: [await api.delete(made.id), await api.delete(other.id)],
    gone: await told(() => api.retrieve(made.id)),
  };
}

async function evals(client, asked) {
  const api = client.evals;
  const made = await api.create(asked.eval);
  const seen = {
    made,
    retrieved: await api.retrieve(made.id),
    updated: await api.update(made.id, { name: "renamed", metadata: { a: "b" } }),
    listed: await every(api.list({ limit: 1 })),
    refused: await each(asked.refused_evals, (body) => told(() => api.create(body))),
  };
  const rows = { type: "file_content", content: asked.rows };
  seen.by_content = await oneRun(client, made.id, rows);
  const file = await upload(client, asked.jsonl, "rows.jsonl", "evals");
  seen.by_file = await oneRun(client, made.id, { type: "file_id", id: file.id });
  seen.runs = await every(api.runs.list(made.id, { limit: 1, order: "asc" }));
  const run = seen.by_content.run.id;
  const of = { eval_id: made.id };
  seen.canceled = await oneCanceled(client, asked);
  seen.run_deleted = await api.runs.delete(run, of);
  seen.run_gone = await told(() => api.runs.retrieve(run, of));
  seen.deleted = await api.delete(made.id);
  seen.gone = await told(() => api.retrieve(made.id));
  await client.files.delete(file.id);
  return seen;
}

async function oneRun(client, eval_id, source) {
  const api = client.evals.runs;
  const data_source = { type: "jsonl", source };
  const made = await api.create(eval_id, { name: "walk", data_source });
  const run = await final(() => api.retrieve(made.id, { eval_id }));
  const list = (query) => every(api.outputItems.list(made.id, { eval_id, ...query }));
  const items = await list({ limit: 2, order: "asc" });
  return {
    made,
    run,
    items,
    failed_items: await list({ status: "fail" }),
    one: await api.outputItems.retrieve(items[0].id, { eval_id, run_id: made.id }),
  };
}

async function oneCanceled(client, asked) {
  const api = client.evals;
  const slow = await api.create(asked.slow_eval);
  const data_source = { type: "jsonl", source: { type: "file_content", content: asked.rows } };
  const run = await api.runs.create(slow.id, { name: "slow", data_source });
  const of = { eval_id: slow.id };
  const canceled = await api.runs.cancel(run.id, of);
  const ended = await final(() => api.runs.retrieve(run.id, of));
  await api.delete(slow.id);
  return { told: canceled, final: ended };
}

async function jobs(client, asked) {
  const api = client.fineTuning.jobs;
  const file = await upload(client, asked.training, "t.jsonl", "fine-tune");
  const long = await upload(client, asked.long_training, "long.jsonl", "fine-tune");
  const made = await api.create({ training_file: file.id, ...asked.job });
  const ended = await final(() => api.retrieve(made.id));
  const other = await api.create({ training_file: long.id, ...asked.job });
  return {
    cancelled: await api.cancel(other.id),
    file,
    made,
    final: ended,
    plan: await contentOf(client, ended.result_files[0]),
    events: await every(api.listEvents(made.id, { limit: 2 })),
    checkpoints: await every(api.checkpoints.list(made.id)),
    listed: await every(api.list({ limit: 1 })),
    refused: await each(asked.refused_jobs, (body) =>
      told(() => api.create({ training_file: file.id, ...body })),
    ),
    too_late: await told(() => api.cancel(made.id)),
    gone: await told(() => api.retrieve("ftjob-absent")),
  };
}

const client = new OpenAI();
const version = createRequire(import.meta.url)(`./node_modules/${name}/package.json`).version;
const seen = await { graders, files, evals, jobs }[part](client, JSON.parse(readFileSync(0, "utf8")));
process.stdout.write(JSON.stringify({ version, ...seen }));
