/** What is tolerated where the gate does not say. */
export const defaultMaxDrop = 0.05;
export const defaultMaxCostIncrease = 0.1;
export const defaultMaxLatencyIncrease = 0.2;
