// The chart bundle: uPlot. Loaded when a statistics tab is opened.
export { default as uPlot } from "uplot";
import "uplot/dist/uPlot.min.css";
