package com.openai.core.http;

import java.io.ByteArrayInputStream;
import java.io.InputStream;

public class HttpResponse implements AutoCloseable {
    public InputStream body() {
        return new ByteArrayInputStream(new byte[0]);
    }

    @Override
    public void close() {}
}
