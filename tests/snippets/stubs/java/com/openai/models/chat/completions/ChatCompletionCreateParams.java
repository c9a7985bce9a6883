package com.openai.models.chat.completions;

import com.openai.core.JsonValue;

public class ChatCompletionCreateParams {
    public static Builder builder() {
        return new Builder();
    }

    public static class Builder {
        public Builder model(String model) {
            return this;
        }

        public Builder messages(JsonValue messages) {
            return this;
        }

        public Builder putAdditionalBodyProperty(String key, JsonValue value) {
            return this;
        }

        public ChatCompletionCreateParams build() {
            return new ChatCompletionCreateParams();
        }
    }
}
