package com.openai.core;

public class JsonValue {
    public static JsonValue from(Object value) {
        return new JsonValue();
    }
}
