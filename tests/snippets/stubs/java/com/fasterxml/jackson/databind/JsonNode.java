package com.fasterxml.jackson.databind;

import java.util.Collections;
import java.util.Iterator;

public class JsonNode {
    public JsonNode get(String name) {
        return this;
    }

    public String asText() {
        return "";
    }

    public Iterator<String> fieldNames() {
        return Collections.emptyIterator();
    }
}
