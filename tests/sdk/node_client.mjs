// Calls the official Node client once and prints, as JSON, what it gave back or raised.
//
//   node node_client.mjs one|each|bytes METHOD ARGUMENTS
//
// METHOD is below `chat.completions`, such as `messages.list`; ARGUMENTS is a JSON array. With
// `each`, what is given back is iterated: the items of all pages, or the chunks of a stream. With
// `bytes`, METHOD is that of the client itself, such as `embeddings.create`, and what it receives is
// given back as base64.

import OpenAI from "openai";

const [how, method, args] = process.argv.slice(2);
const client = new OpenAI({ maxRetries: 0 });

async function call() {
  const path = method.split(".");
  const name = path.pop();
  const resource = path.reduce((one, part) => one[part], how === "bytes" ? client : client.chat.completions);
  const called = resource[name](...JSON.parse(args));
  if (how === "bytes") return received(await called.asResponse());
  const answer = await called;
  return how === "each" ? collected(answer) : { ...answer, _request_id: answer._request_id };
}

async function received(response) {
  return Buffer.from(await response.arrayBuffer()).toString("base64");
}

async function collected(pagesOrStream) {
  const all = [];
  for await (const one of pagesOrStream) all.push(one);
  return all;
}

function raised(error) {
  if (!(error instanceof OpenAI.APIError)) throw error;
  const { status, code, param, type, message, requestID } = error;
  return { error: { name: error.constructor.name, status, code, param, type, message, requestID } };
}

console.log(JSON.stringify(await call().catch(raised)));
