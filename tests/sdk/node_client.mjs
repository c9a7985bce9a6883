// Calls the official Node client for each line of its input, and prints as a line of JSON what it
// gave back or raised.
//
// A line is a JSON array of three: `one`, `each` or `bytes`, the method, and the array of its
// arguments. The method is below `chat.completions`, such as `messages.list`. With `each`, what is
// given back is iterated: the items of all pages, or the chunks of a stream. With `bytes`, the
// method is that of the client itself, such as `embeddings.create`, and what it receives is given
// back as base64.

import { createInterface } from "node:readline";

import OpenAI from "openai";

async function call(how, method, args) {
  const client = new OpenAI({ maxRetries: 0 });
  const path = method.split(".");
  const name = path.pop();
  const resource = path.reduce((one, part) => one[part], how === "bytes" ? client : client.chat.completions);
  const called = resource[name](...args);
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

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await call(...JSON.parse(line)).catch(raised)));
}
