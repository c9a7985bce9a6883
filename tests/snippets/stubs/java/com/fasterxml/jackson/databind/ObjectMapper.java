package com.fasterxml.jackson.databind;

/** Prints the text that it is to parse, which is the request. */
public class ObjectMapper {
    public JsonNode readTree(String json) throws java.io.IOException {
        System.out.println(json);
        return new JsonNode();
    }
}
