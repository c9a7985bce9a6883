package com.openai.client;

import com.openai.core.http.HttpResponse;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.messages.MessageListParams;

/** The calls of the official client that the snippets make; nothing is sent. */
public class OpenAIClient {
    public OpenAIClient chat() {
        return this;
    }

    public OpenAIClient completions() {
        return this;
    }

    public OpenAIClient messages() {
        return this;
    }

    public OpenAIClient withRawResponse() {
        return this;
    }

    public HttpResponse list(MessageListParams params) {
        return new HttpResponse();
    }

    public HttpResponse create(ChatCompletionCreateParams params) {
        return new HttpResponse();
    }
}
