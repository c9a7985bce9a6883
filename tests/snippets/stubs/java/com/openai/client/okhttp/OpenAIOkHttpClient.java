package com.openai.client.okhttp;

import com.openai.client.OpenAIClient;

public class OpenAIOkHttpClient {
    public static OpenAIOkHttpClient builder() {
        return new OpenAIOkHttpClient();
    }

    public OpenAIOkHttpClient fromEnv() {
        return this;
    }

    public OpenAIOkHttpClient baseUrl(String url) {
        return this;
    }

    public OpenAIOkHttpClient putQueryParam(String key, String value) {
        return this;
    }

    public OpenAIOkHttpClient putHeader(String name, String value) {
        return this;
    }

    public OpenAIClient build() {
        return new OpenAIClient();
    }
}
