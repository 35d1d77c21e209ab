import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { connect } from "./lib/ask";
import { overSocket } from "./lib/socket";

connect(overSocket(new URL("/socket", location.href)));
mount(App, { target: document.getElementById("app")! });
