package com.openai.models.chat.completions.messages;

public class MessageListParams {
    public enum Order { ASC, DESC }

    public static Builder builder() {
        return new Builder();
    }

    public static class Builder {
        public Builder completionId(String id) {
            return this;
        }

        public Builder after(String after) {
            return this;
        }

        public Builder limit(long limit) {
            return this;
        }

        public Builder order(Order order) {
            return this;
        }

        public MessageListParams build() {
            return new MessageListParams();
        }
    }
}
